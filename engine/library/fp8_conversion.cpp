// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/library/fp8_conversion.h"

#include "engine/checkpoint/checkpoint.h"
#include "engine/executor/quantised_layer.h"
#include "engine/json_file.h"
#include "engine/limits.h"
#include "engine/models/model_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <thread>

namespace bathyscope {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// The projections of attention and feed-forward blocks, experts included.
bool isProjection(const std::string &name, const StoredTensor &tensor)
{
    static constexpr std::array<std::string_view, 12> projections = {
        "q_proj",    "k_proj",    "v_proj",  "o_proj",    "q_a_proj",    "q_b_proj", "kv_a_proj_with_mqa",
        "kv_b_proj", "gate_proj", "up_proj", "down_proj", "gate_up_proj"};
    const std::string ending = ".weight";
    if (tensor.shape.size() != 2 || !weightType(tensor.type) || tensor.type == StoredType::F8E4M3
        || !name.starts_with("model.layers.") || !name.ends_with(ending))
        return false;
    const std::string matrix = name.substr(0, name.size() - ending.size());
    return std::find(projections.begin(), projections.end(), matrix.substr(matrix.rfind('.') + 1))
        != projections.end();
}

/// One file of weights on its way into its copy.
class FileConversion {
public:
    FileConversion(const SafetensorsFile &file, ThreadTeam &team)
        : m_team(team)
    {
        for (const auto &[name, tensor] : file.tensors())
            add(name, tensor);
    }

    [[nodiscard]] const std::vector<TensorHeader> &headers() const { return m_headers; }
    [[nodiscard]] std::uint64_t size() const
    {
        std::uint64_t sum = 0;
        for (const TensorHeader &header : m_headers)
            sum += header.size;
        return sum;
    }

    std::span<const std::byte> bytes(std::size_t index)
    {
        const Part &part = m_parts[index];
        if (part.kind == Kind::Stored)
            return part.tensor->bytes;
        if (part.kind == Kind::Values) {
            quantise(*part.tensor);
            return std::as_bytes(std::span(m_values));
        }
        return std::as_bytes(std::span(m_scales)); // they follow their values
    }

private:
    enum class Kind : std::uint8_t { Stored, Values, Scales };
    struct Part {
        const StoredTensor *tensor;
        Kind kind;
    };

    void add(const std::string &name, const StoredTensor &tensor)
    {
        if (!isProjection(name, tensor)) {
            m_headers.push_back({name, tensor.typeName, tensor.shape, tensor.bytes.size()});
            m_parts.push_back({&tensor, Kind::Stored});
            return;
        }
        const std::int64_t rows = tensor.shape[0];
        const std::int64_t columns = tensor.shape[1];
        const std::vector<std::int64_t> grid = {scaleBlocksOf(rows), scaleBlocksOf(columns)};
        m_headers.push_back({name, "F8_E4M3", tensor.shape, static_cast<std::uint64_t>(rows * columns)});
        m_parts.push_back({&tensor, Kind::Values});
        m_headers.push_back({name + "_scale_inv", "F32", grid,
                             static_cast<std::uint64_t>(grid[0] * grid[1]) * sizeof(float)});
        m_parts.push_back({&tensor, Kind::Scales});
    }

    void quantise(const StoredTensor &tensor)
    {
        const kernels::MatrixView weights{.data = tensor.bytes.data(),
                                          .dtype = *weightType(tensor.type),
                                          .rows = tensor.shape[0],
                                          .columns = tensor.shape[1]};
        m_values.resize(static_cast<std::size_t>(weights.rows * weights.columns));
        m_scales.resize(
            static_cast<std::size_t>(scaleBlocksOf(weights.rows) * scaleBlocksOf(weights.columns)));
        m_team.run([&](ThreadTeam::Member &member) {
            quantiseMatrix(member, weights, m_values.data(), m_scales.data());
        });
    }

    ThreadTeam &m_team;
    std::vector<TensorHeader> m_headers;
    std::vector<Part> m_parts; ///< for each header
    std::vector<std::uint8_t> m_values; ///< of the projection that is being written
    std::vector<float> m_scales; ///< of the same
};

/// Removes what was begun unless it came to its end.
class UnfinishedDirectory {
public:
    explicit UnfinishedDirectory(const fs::path &target)
        : m_target(target)
        , m_path(target)
    {
        m_path += ".part";
        fs::remove_all(m_path);
        fs::create_directories(m_path);
    }
    UnfinishedDirectory(const UnfinishedDirectory &) = delete;
    UnfinishedDirectory &operator=(const UnfinishedDirectory &) = delete;
    ~UnfinishedDirectory()
    {
        std::error_code ignored;
        fs::remove_all(m_path, ignored);
    }

    [[nodiscard]] const fs::path &path() const { return m_path; }
    void finish() { fs::rename(m_path, m_target); }

private:
    fs::path m_target;
    fs::path m_path;
};

void writeJson(const fs::path &path, const json &value)
{
    std::ofstream file(path, std::ios::binary);
    file << value.dump(2) << '\n';
    file.close();
    if (!file)
        throw Error(fmt::format("{}: cannot be written", toUtf8(path)));
}

/// Tokenizer, template, licence: all that is neither weights nor configuration.
void copyOtherFiles(const fs::path &source, const fs::path &target)
{
    for (const fs::directory_entry &entry : fs::directory_iterator(source)) {
        const std::string name = toUtf8(entry.path().filename());
        const bool other = name != "config.json" && name != "model.safetensors.index.json"
            && !name.ends_with(".safetensors") && entry.is_regular_file()
            && entry.file_size() <= limits::maxTextFile;
        if (other)
            fs::copy_file(entry.path(), target / entry.path().filename());
    }
}

json quantizedConfig(const fs::path &source)
{
    const fs::path file = source / "config.json";
    json config = readJsonFile(file);
    const ModelConfig read = loadModelConfig(file);
    if (read.fp8Blocks)
        throwFileError(file, "quantization_config", "none", "FP8: the model is converted already");
    config["quantization_config"] = {{"quant_method", "fp8"},
                                     {"fmt", "e4m3"},
                                     {"activation_scheme", "dynamic"},
                                     {"weight_block_size", {kernels::scaleBlock, kernels::scaleBlock}}};
    return config;
}

void expectRoom(const fs::path &directory, std::uint64_t needed)
{
    const std::uintmax_t available = fs::space(directory).available;
    if (available < needed)
        throw Error(
            fmt::format("{}: expected room for {:.1f} GB, found {:.1f} GB: make room or choose another "
                        "disk",
                        toUtf8(directory), double(needed) / 1e9, double(available) / 1e9));
}

/// Where each tensor of the copies lies, as readers of split models need it.
json indexOf(const Checkpoint &checkpoint, const std::vector<FileConversion> &files)
{
    json map = json::object();
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
        for (const TensorHeader &header : files[i].headers()) {
            map[header.name] = toUtf8(checkpoint.files()[i]->path().filename());
            total += header.size;
        }
    }
    return {{"metadata", {{"total_size", total}}}, {"weight_map", std::move(map)}};
}

} // namespace

void convertToFp8(const fs::path &source, const fs::path &target, int threads, const LoadObserver &observer)
{
    const json config = quantizedConfig(source);
    const Checkpoint checkpoint(source);
    ThreadTeam team(threads > 0 ? threads
                                : std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
    std::vector<FileConversion> files;
    LoadProgress progress;
    for (const auto &file : checkpoint.files())
        progress.total += static_cast<std::int64_t>(files.emplace_back(*file, team).size());
    if (fs::exists(target))
        throw Error(
            fmt::format("{}: expected a new directory, found one that is there already", toUtf8(target)));
    UnfinishedDirectory copy(target);
    expectRoom(copy.path(), static_cast<std::uint64_t>(progress.total));
    for (std::size_t i = 0; i < files.size(); ++i) {
        const fs::path name = checkpoint.files()[i]->path().filename();
        writeSafetensors(copy.path() / name, files[i].headers(), [&](std::size_t tensor) {
            if (observer.stop.stop_requested())
                throw LoadCancelled();
            const auto bytes = files[i].bytes(tensor);
            progress.done += static_cast<std::int64_t>(bytes.size());
            if (observer.progress)
                observer.progress(progress);
            return bytes;
        });
    }
    checkpoint.expectWhole();
    if (fs::exists(source / "model.safetensors.index.json"))
        writeJson(copy.path() / "model.safetensors.index.json", indexOf(checkpoint, files));
    writeJson(copy.path() / "config.json", config);
    copyOtherFiles(source, copy.path());
    copy.finish();
}

} // namespace bathyscope
