// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/checkpoint/checkpoint.h"

#include "engine/checkpoint/fingerprint.h"
#include "engine/error.h"
#include "engine/json_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace bathyscope {

namespace {

using nlohmann::json;

/// tensor name -> file name, of an index file. The files must lie directly in the model's directory.
std::map<std::string, std::string> readWeightMap(const std::filesystem::path &indexFile)
{
    const json index = readJsonFile(indexFile);
    const auto found = index.find("weight_map");
    if (found == index.end() || !found->is_object())
        throwFileError(indexFile, "weight_map", "an object", "none");
    std::map<std::string, std::string> map;
    for (const auto &[name, file] : found->items()) {
        if (!file.is_string())
            throwFileError(indexFile, "weight_map." + name, "a file name", file.dump());
        const std::string fileName = file.get<std::string>();
        const std::filesystem::path path = fromUtf8(fileName);
        if (path != path.filename() || fileName.empty() || fileName == ".." || fileName == ".")
            throwFileError(indexFile, "weight_map." + name, "a file in the model's directory", fileName);
        map.emplace(name, fileName);
    }
    return map;
}

} // namespace

std::optional<kernels::DType> weightType(StoredType type)
{
    switch (type) {
    case StoredType::F32:
        return kernels::DType::F32;
    case StoredType::F16:
        return kernels::DType::F16;
    case StoredType::BF16:
        return kernels::DType::BF16;
    case StoredType::F8E4M3:
        return kernels::DType::F8E4M3;
    default:
        return std::nullopt;
    }
}

std::int64_t Tensor::elements() const
{
    return std::accumulate(shape.begin(), shape.end(), std::int64_t(1), std::multiplies<>());
}

std::string Tensor::describe() const
{
    return fmt::format("{} [{}]", kernels::blockOf(dtype).name, fmt::join(shape, ", "));
}

Checkpoint::Checkpoint(const std::filesystem::path &directory)
    : m_directory(directory)
{
    const auto single = directory / "model.safetensors";
    const auto index = directory / "model.safetensors.index.json";
    if (std::filesystem::exists(index)) {
        const auto weightMap = readWeightMap(index);
        std::set<std::string> files;
        for (const auto &[name, file] : weightMap)
            files.insert(file);
        for (const std::string &file : files)
            addFile(directory / fromUtf8(file), &weightMap);
        for (const auto &[name, file] : weightMap)
            if (std::none_of(m_files.begin(), m_files.end(),
                             [&key = name](const auto &f) { return f->tensors().contains(key); }))
                throwFileError(index, "weight_map." + name, "a tensor of that name in " + file, "none");
    } else if (std::filesystem::exists(single)) {
        addFile(single, nullptr);
    } else {
        throw Error(
            fmt::format("{}: expected model.safetensors or model.safetensors.index.json, found neither "
                        "(take a version of the model with safetensors, or a GGUF file)",
                        toUtf8(directory)));
    }
}

void Checkpoint::addFile(const std::filesystem::path &path,
                         const std::map<std::string, std::string> *weightMap)
{
    const auto &file = *m_files.emplace_back(std::make_unique<SafetensorsFile>(path));
    const std::string fileName = toUtf8(path.filename());
    for (const auto &[name, stored] : file.tensors()) {
        if (weightMap) {
            const auto entry = weightMap->find(name);
            if (entry == weightMap->end() || entry->second != fileName)
                continue; // the index decides which file a tensor is taken from
        }
        if (const auto type = weightType(stored.type))
            m_tensors.emplace(name, Tensor{*type, stored.shape, stored.bytes.data(), toUtf8(path)});
    }
}

const Tensor *Checkpoint::find(const std::string &name) const
{
    const auto found = m_tensors.find(name);
    return found == m_tensors.end() ? nullptr : &found->second;
}

std::string Checkpoint::name() const
{
    return toUtf8(m_directory);
}

std::vector<std::span<const std::byte>> Checkpoint::mappedFiles() const
{
    std::vector<std::span<const std::byte>> files;
    for (const auto &file : m_files)
        files.push_back(file->bytes());
    return files;
}

void Checkpoint::expectWhole() const
{
    for (const auto &file : m_files)
        file->expectWhole();
}

std::int64_t Checkpoint::bytes() const
{
    std::size_t sum = 0;
    for (const auto &file : m_files)
        for (const auto &[name, tensor] : file->tensors())
            sum += tensor.bytes.size();
    return static_cast<std::int64_t>(sum);
}

std::string Checkpoint::fingerprint() const
{
    Fingerprint fingerprint;
    for (const auto &file : m_files)
        for (const auto &[name, tensor] : file->tensors())
            fingerprint.add(name, tensor.typeName, tensor.shape, tensor.bytes);
    expectWhole();
    return fingerprint.text();
}

} // namespace bathyscope
