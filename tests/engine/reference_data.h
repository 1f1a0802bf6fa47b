// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reference outputs of the public implementation (tests/data/README.md).
#pragma once

#include "engine/checkpoint/safetensors.h"

#include <cstring>
#include <string>
#include <vector>

namespace bathyscope {

inline const std::string testData = BATHYSCOPE_TEST_DATA;
inline const std::string builtinModel = BATHYSCOPE_BUILTIN_MODEL;

template <typename T>
std::vector<T> tensorValues(const SafetensorsFile &file, const std::string &name)
{
    const StoredTensor &tensor = file.tensors().at(name);
    std::vector<T> values(tensor.bytes.size() / sizeof(T));
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
}

} // namespace bathyscope
