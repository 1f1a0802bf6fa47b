// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/checkpoint/tensor_source.h"
#include "engine/session/backend.h"

namespace bathyscope {

/// Reads a source's files once, in order, so that they are in memory before the first answer needs them all
/// over the place. Files larger than `room` (bytes) are left to be read as they are needed. Throws
/// LoadCancelled.
void readAhead(const TensorSource &source, std::int64_t room, const LoadObserver &observer);

} // namespace bathyscope
