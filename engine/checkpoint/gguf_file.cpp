// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/checkpoint/gguf_file.h"

#include "engine/checkpoint/gguf_cursor.h"
#include "engine/error.h"
#include "engine/limits.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <optional>

namespace bathyscope {

namespace {

using kernels::DType;
using nlohmann::json;

struct TypeEntry {
    std::uint32_t id;
    std::optional<DType> dtype; ///< none: known, but not computed from
    const char *name;
};

// enum ggml_type of ggml.h
constexpr TypeEntry types[] = {
    {0, DType::F32, "F32"},
    {1, DType::F16, "F16"},
    {2, DType::Q4_0, "Q4_0"},
    {3, DType::Q4_1, "Q4_1"},
    {6, DType::Q5_0, "Q5_0"},
    {7, DType::Q5_1, "Q5_1"},
    {8, DType::Q8_0, "Q8_0"},
    {10, DType::Q2_K, "Q2_K"},
    {11, DType::Q3_K, "Q3_K"},
    {12, DType::Q4_K, "Q4_K"},
    {13, DType::Q5_K, "Q5_K"},
    {14, DType::Q6_K, "Q6_K"},
    {16, {}, "IQ2_XXS"},
    {17, {}, "IQ2_XS"},
    {18, {}, "IQ3_XXS"},
    {19, {}, "IQ1_S"},
    {20, DType::IQ4_NL, "IQ4_NL"},
    {21, {}, "IQ3_S"},
    {22, {}, "IQ2_S"},
    {23, DType::IQ4_XS, "IQ4_XS"},
    {29, {}, "IQ1_M"},
    {30, DType::BF16, "BF16"},
    {34, {}, "TQ1_0"},
    {35, {}, "TQ2_0"},
    {39, {}, "MXFP4"},
};

std::string computedTypes()
{
    std::vector<const char *> names;
    for (const TypeEntry &type : types)
        if (type.dtype)
            names.push_back(type.name);
    return fmt::format("{}", fmt::join(names, ", "));
}

DType readType(GgufCursor &cursor, const std::string &name)
{
    const auto id = cursor.number<std::uint32_t>(name);
    const auto *type =
        std::find_if(std::begin(types), std::end(types), [&](const TypeEntry &t) { return t.id == id; });
    if (type == std::end(types))
        cursor.fail(name, "a type of tensor among " + computedTypes(), fmt::format("number {}", id));
    if (!type->dtype)
        cursor.fail(name, "a type of tensor among " + computedTypes(),
                    fmt::format("{} (take another quantisation of the model, such as Q4_K_M)", type->name));
    return *type->dtype;
}

struct Counts {
    std::uint64_t tensors;
    std::uint64_t entries; ///< of the metadata
};

Counts readHeader(GgufCursor &cursor)
{
    if (cursor.bytes(4, "magic") != "GGUF")
        cursor.fail("magic", "GGUF", "something else");
    const auto version = cursor.number<std::uint32_t>("version");
    if (version == 0x02000000U || version == 0x03000000U)
        cursor.fail("version", "a little-endian file", "a big-endian one: convert the model anew");
    if (version != 2 && version != 3)
        cursor.fail("version", "2 or 3", fmt::format("{}", version));
    const std::uint64_t tensors = cursor.count("number of tensors", limits::maxGgufTensors, 24);
    return {tensors, cursor.count("number of metadata entries", limits::maxGgufEntries, 13)};
}

json readMetadata(GgufCursor &cursor, std::uint64_t count)
{
    json metadata = json::object();
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::string key = cursor.text(fmt::format("metadata key {}", i));
        if (metadata.contains(key))
            cursor.fail(key, "one value", "two");
        metadata[key] = cursor.value(key);
    }
    return metadata;
}

/// A tensor whose bytes are not yet known.
struct Description {
    std::string name;
    GgufTensor tensor;
    std::uint64_t offset = 0; ///< in the data
    std::uint64_t size = 0; ///< bytes
};

Description readDescription(GgufCursor &cursor, std::uint64_t index)
{
    Description d;
    d.name = cursor.text(fmt::format("name of tensor {}", index));
    const auto rank = cursor.number<std::uint32_t>(d.name);
    if (rank < 1 || rank > 4)
        cursor.fail(d.name, "1 to 4 dimensions", fmt::format("{}", rank));
    std::uint64_t elements = 1;
    for (std::uint32_t i = 0; i < rank; ++i) {
        const auto n = cursor.number<std::uint64_t>(d.name);
        if (n < 1 || n > limits::maxTensorElements / elements)
            cursor.fail(d.name, fmt::format("at most {} elements", limits::maxTensorElements),
                        fmt::format("a dimension of {}", n));
        elements *= n;
        d.tensor.shape.insert(d.tensor.shape.begin(), static_cast<std::int64_t>(n));
    }
    d.tensor.dtype = readType(cursor, d.name);
    const kernels::StoredBlock block = kernels::blockOf(d.tensor.dtype);
    if (d.tensor.shape.back() % block.elements != 0)
        cursor.fail(d.name, fmt::format("rows of a multiple of {} for {}", block.elements, block.name),
                    fmt::format("{}", d.tensor.shape.back()));
    d.size = kernels::rowBytes(d.tensor.dtype, static_cast<std::int64_t>(elements));
    d.offset = cursor.number<std::uint64_t>(d.name);
    return d;
}

std::uint64_t alignmentOf(const json &metadata, const GgufCursor &cursor)
{
    const auto found = metadata.find("general.alignment");
    if (found == metadata.end())
        return 32; // the format's default
    const bool number = found->is_number_unsigned();
    const std::uint64_t alignment = number ? found->get<std::uint64_t>() : 0;
    if (alignment < 8 || alignment > limits::maxGgufAlignment || (alignment & (alignment - 1)) != 0)
        cursor.fail("general.alignment", fmt::format("a power of two from 8 to {}", limits::maxGgufAlignment),
                    found->dump());
    return alignment;
}

/// Bytes of every tensor: aligned, inside the file, each its own.
void place(std::vector<Description> &descriptions, std::span<const std::byte> data, std::uint64_t alignment,
           const GgufCursor &cursor)
{
    std::sort(descriptions.begin(), descriptions.end(),
              [](const auto &a, const auto &b) { return a.offset < b.offset; });
    std::uint64_t end = 0;
    for (Description &d : descriptions) {
        if (d.offset % alignment != 0)
            cursor.fail(d.name, fmt::format("an offset that is a multiple of {}", alignment),
                        fmt::format("{}", d.offset));
        if (d.offset < end)
            cursor.fail(d.name, "bytes of its own", fmt::format("offset {} inside another tensor", d.offset));
        if (d.offset > data.size() || d.size > data.size() - d.offset)
            cursor.fail(d.name, fmt::format("{} bytes at {} of the data", d.size, d.offset),
                        fmt::format("{} bytes in all (is the file truncated?)", data.size()));
        d.tensor.bytes = data.subspan(d.offset, d.size);
        end = d.offset + d.size;
    }
}

} // namespace

GgufFile::GgufFile(const std::filesystem::path &path)
    : m_file(path)
{
    GgufCursor cursor(path, m_file.bytes());
    const auto [tensors, entries] = readHeader(cursor);
    m_metadata = readMetadata(cursor, entries);
    std::vector<Description> descriptions;
    for (std::uint64_t i = 0; i < tensors; ++i)
        descriptions.push_back(readDescription(cursor, i));
    const std::uint64_t alignment = alignmentOf(m_metadata, cursor);
    const std::uint64_t begin = (cursor.position() + alignment - 1) / alignment * alignment;
    place(descriptions, m_file.bytes().subspan(std::min<std::size_t>(begin, m_file.bytes().size())),
          alignment, cursor);
    for (Description &d : descriptions)
        if (!m_tensors.emplace(d.name, std::move(d.tensor)).second)
            cursor.fail(d.name, "one tensor of that name", "two");
    m_file.expectWhole();
}

bool beginsAsGguf(const std::filesystem::path &path)
{
    std::ifstream file(path, std::ios::binary);
    char magic[4] = {};
    return file.read(magic, sizeof magic) && std::string_view(magic, sizeof magic) == "GGUF";
}

nlohmann::json readGgufMetadata(const std::filesystem::path &path)
{
    const MappedFile file(path);
    GgufCursor cursor(path, file.bytes());
    const Counts counts = readHeader(cursor);
    nlohmann::json metadata = readMetadata(cursor, counts.entries);
    file.expectWhole();
    return metadata;
}

} // namespace bathyscope
