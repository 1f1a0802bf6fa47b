// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/checkpoint/safetensors.h"

#include "engine/error.h"
#include "engine/limits.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <optional>

namespace bathyscope {

namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "tensors are used as stored, little-endian");

struct TypeEntry {
    const char *name;
    StoredType type;
    std::uint64_t size;
};

constexpr TypeEntry types[] = {
    {"F32", StoredType::F32, 4},   {"F16", StoredType::F16, 2},        {"BF16", StoredType::BF16, 2},
    {"I32", StoredType::I32, 4},   {"F8_E4M3", StoredType::F8E4M3, 1}, {"I64", StoredType::I64, 8},
    {"F64", StoredType::Other, 8}, {"I16", StoredType::Other, 2},      {"U16", StoredType::Other, 2},
    {"U32", StoredType::Other, 4}, {"U64", StoredType::Other, 8},      {"I8", StoredType::Other, 1},
    {"U8", StoredType::Other, 1},  {"BOOL", StoredType::Other, 1},     {"F8_E5M2", StoredType::Other, 1},
};

/// Product of the shape, none when it overflows or a dimension is negative.
std::optional<std::uint64_t> elementCount(const std::vector<std::int64_t> &shape)
{
    std::uint64_t count = 1;
    for (const std::int64_t n : shape) {
        if (n < 0 || (n > 0 && count > limits::maxTensorElements / static_cast<std::uint64_t>(n)))
            return std::nullopt;
        count *= static_cast<std::uint64_t>(n);
    }
    return count;
}

json parseHeader(const std::filesystem::path &path, std::span<const std::byte> file, std::size_t &headerBytes)
{
    if (file.size() < 8)
        throwFileError(path, "header", "at least 8 bytes", fmt::format("{} bytes", file.size()));
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), 8);
    if (length > limits::maxSafetensorsHeader || length > file.size() - 8)
        throwFileError(
            path, "header length",
            fmt::format("at most {}", std::min<std::uint64_t>(limits::maxSafetensorsHeader, file.size() - 8)),
            fmt::format("{} (is the file truncated?)", length));
    headerBytes = static_cast<std::size_t>(length) + 8;
    const auto *text = reinterpret_cast<const char *>(file.data() + 8);
    json header = json::parse(text, text + length, nullptr, false);
    if (!header.is_object())
        throwFileError(path, "header", "a JSON object", "something else");
    return header;
}

StoredTensor readEntry(const std::filesystem::path &path, const std::string &name, const json &entry,
                       std::span<const std::byte> data)
{
    const auto fail = [&](const std::string &expected, const std::string &found) {
        throwFileError(path, name, expected, found);
    };
    if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string()
        || !entry.contains("shape") || !entry["shape"].is_array() || !entry.contains("data_offsets")
        || !entry["data_offsets"].is_array() || entry["data_offsets"].size() != 2)
        fail("dtype, shape and two data_offsets",
             entry.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 200));
    StoredTensor tensor;
    tensor.typeName = entry["dtype"].get<std::string>();
    const auto *type = std::find_if(std::begin(types), std::end(types),
                                    [&](const TypeEntry &t) { return tensor.typeName == t.name; });
    if (type == std::end(types))
        fail("a known dtype", tensor.typeName);
    tensor.type = type->type;
    for (const json &n : entry["shape"]) {
        if (!n.is_number_integer())
            fail("a shape of integers", entry["shape"].dump());
        tensor.shape.push_back(n.get<std::int64_t>());
    }
    const auto count = elementCount(tensor.shape);
    if (!count || tensor.shape.size() > limits::maxTensorRank)
        fail("a possible shape", entry["shape"].dump());
    const json &offsets = entry["data_offsets"];
    if (!offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned())
        fail("data_offsets of two unsigned integers", offsets.dump());
    const auto begin = offsets[0].get<std::uint64_t>();
    const auto end = offsets[1].get<std::uint64_t>();
    if (begin > end || end > data.size())
        fail(fmt::format("data_offsets within 0…{}", data.size()),
             fmt::format("{}…{} (is the file truncated?)", begin, end));
    if (end - begin != *count * type->size)
        fail(fmt::format("{} bytes for {} {}", *count * type->size, tensor.typeName, entry["shape"].dump()),
             fmt::format("{} bytes", end - begin));
    tensor.bytes = data.subspan(begin, end - begin);
    if (reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % type->size != 0)
        fail(fmt::format("data aligned to {} bytes", type->size),
             fmt::format("data_offsets {}", offsets.dump()));
    return tensor;
}

/// Tensors may not share bytes: a file that says so was not written by anything honest.
void checkOverlaps(const std::filesystem::path &path, const std::map<std::string, StoredTensor> &tensors)
{
    std::vector<std::pair<const std::byte *, const std::string *>> order;
    for (const auto &[name, tensor] : tensors)
        if (!tensor.bytes.empty())
            order.emplace_back(tensor.bytes.data(), &name);
    std::sort(order.begin(), order.end());
    for (std::size_t i = 1; i < order.size(); ++i) {
        const auto &before = tensors.at(*order[i - 1].second).bytes;
        if (before.data() + before.size() > order[i].first)
            throwFileError(path, *order[i].second, "bytes of its own",
                           fmt::format("an overlap with {}", *order[i - 1].second));
    }
}

} // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path &path)
    : m_file(path)
{
    const json header = parseHeader(path, m_file.bytes(), m_headerBytes);
    const auto data = m_file.bytes().subspan(m_headerBytes);
    for (const auto &[name, entry] : header.items())
        if (name != "__metadata__")
            m_tensors.emplace(name, readEntry(path, name, entry, data));
    checkOverlaps(path, m_tensors);
    m_file.expectWhole();
}

void writeSafetensors(const std::filesystem::path &path, const std::vector<TensorHeader> &tensors,
                      const std::function<std::span<const std::byte>(std::size_t)> &bytes)
{
    json header = json::object();
    std::uint64_t offset = 0;
    for (const TensorHeader &tensor : tensors) {
        header[tensor.name] = {{"dtype", tensor.typeName},
                               {"shape", tensor.shape},
                               {"data_offsets", {offset, offset + tensor.size}}};
        offset += tensor.size;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' '); // the format aligns the data to 8 bytes
    const std::uint64_t length = text.size();
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char *>(&length), 8);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    for (std::size_t i = 0; i < tensors.size() && file; ++i) {
        const auto data = bytes(i);
        file.write(reinterpret_cast<const char *>(data.data()), static_cast<std::streamsize>(data.size()));
    }
    file.close();
    if (!file)
        throw Error(fmt::format("{}: cannot be written", toUtf8(path)));
}

void writeSafetensors(const std::filesystem::path &path, const std::vector<TensorToWrite> &tensors)
{
    std::vector<TensorHeader> headers;
    for (const TensorToWrite &tensor : tensors)
        headers.push_back({tensor.name, tensor.typeName, tensor.shape, tensor.bytes.size()});
    writeSafetensors(path, headers, [&](std::size_t i) { return tensors[i].bytes; });
}

} // namespace bathyscope
