// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is wrong with a model directory is said with file, key, expected and found.
#include "engine/checkpoint/checkpoint.h"
#include "engine/error.h"
#include "engine/json_file.h"
#include "engine/session/backend.h"
#include "tests/engine/reference_data.h"
#include "tests/engine/temporary_directory.h"

#include <gtest/gtest.h>

#include <fstream>

namespace bathyscope {
namespace {

/// Runs `action`, expects an Error whose text holds all the words.
template <typename Action>
void expectError(const Action &action, const std::vector<std::string> &words)
{
    try {
        action();
        FAIL() << "no error";
    } catch (const Error &error) {
        for (const std::string &word : words)
            EXPECT_NE(std::string(error.what()).find(word), std::string::npos)
                << "\"" << word << "\" is missing in: " << error.what();
    }
}

class BrokenModel : public testing::Test {
protected:
    TemporaryDirectory directory{testData + "/deepseek-v3-tiny"};

    void open() const { openLocalBackend(directory.path().string(), {}); }

    /// Writes a safetensors file with this header text and `dataBytes` of zeros.
    void writeRaw(const std::string &header, std::size_t dataBytes, std::uint64_t length) const
    {
        std::ofstream file(directory.path() / "model.safetensors", std::ios::binary);
        file.write(reinterpret_cast<const char *>(&length), 8);
        file << header << std::string(dataBytes, '\0');
    }
    void writeRaw(const std::string &header, std::size_t dataBytes) const
    {
        writeRaw(header, dataBytes, header.size());
    }
};

TEST_F(BrokenModel, IsFineBeforeItIsBroken)
{
    EXPECT_NO_THROW(open());
}

TEST_F(BrokenModel, MissingFiles)
{
    for (const char *name : {"config.json", "tokenizer.json", "model.safetensors"}) {
        const TemporaryDirectory copy(testData + "/deepseek-v3-tiny");
        std::filesystem::remove(copy.path() / name);
        expectError([&] { openLocalBackend(copy.path().string(), {}); }, {name});
    }
}

TEST_F(BrokenModel, TruncatedWeights)
{
    const auto file = directory.path() / "model.safetensors";
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
    expectError([&] { open(); }, {"model.safetensors", "truncated"});
    std::filesystem::resize_file(file, 100);
    expectError([&] { open(); }, {"model.safetensors", "header length", "truncated"});
    std::filesystem::resize_file(file, 3);
    expectError([&] { open(); }, {"model.safetensors", "at least 8 bytes", "3 bytes"});
    std::filesystem::resize_file(file, 0);
    expectError([&] { open(); }, {"model.safetensors", "0 bytes"});
}

TEST_F(BrokenModel, ImpossibleHeaders)
{
    const auto entry = [](const std::string &dtype, const std::string &shape, const std::string &offsets) {
        return R"({"a": {"dtype": ")" + dtype + R"(", "shape": )" + shape + R"(, "data_offsets": )" + offsets
            + "}}";
    };
    const auto expect = [&](const std::string &header, const std::vector<std::string> &words) {
        writeRaw(header, 64);
        expectError([&] { SafetensorsFile(directory.path() / "model.safetensors"); }, words);
    };
    expect("not json", {"JSON object"});
    expect("[1]", {"JSON object"});
    expect(entry("F32", "[4]", "[0, 12]"), {"a", "16 bytes", "12 bytes"});
    expect(entry("F32", "[4]", "[60, 76]"), {"a", "data_offsets"});
    expect(entry("F32", "[4]", "[16, 0]"), {"a", "data_offsets"});
    expect(entry("F32", "[4]", "[-16, 0]"), {"a", "unsigned"});
    expect(entry("F99", "[4]", "[0, 16]"), {"a", "known dtype", "F99"});
    expect(entry("F32", "[-4]", "[0, 16]"), {"a", "possible shape"});
    expect(entry("F32", "[4294967296, 4294967296]", "[0, 16]"), {"a", "possible shape"});
    expect(entry("F32", R"(["4"])", "[0, 16]"), {"a", "integers"});
    expect(R"({"a": {"dtype": "F32"}})", {"a", "data_offsets"});
    expect(R"({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]},
               "b": {"dtype": "F32", "shape": [4], "data_offsets": [12, 28]}})",
           {"b", "overlap", "a"});
    writeRaw("{}", 0, std::uint64_t(1) << 60U);
    expectError([&] { SafetensorsFile(directory.path() / "model.safetensors"); }, {"header length"});
}

TEST_F(BrokenModel, IndexMayNotLeaveTheDirectory)
{
    for (const char *name : {"../model.safetensors", "/etc/passwd", "sub/model.safetensors", "..", ""}) {
        std::ofstream(directory.path() / "model.safetensors.index.json")
            << nlohmann::json({{"weight_map", {{"lm_head.weight", name}}}});
        expectError([&] { open(); },
                    {"model.safetensors.index.json", "weight_map.lm_head.weight", "directory"});
    }
}

TEST_F(BrokenModel, IndexNamesAMissingTensor)
{
    std::ofstream(directory.path() / "model.safetensors.index.json")
        << nlohmann::json({{"weight_map", {{"nothing.weight", "model.safetensors"}}}});
    expectError([&] { open(); }, {"weight_map.nothing.weight", "none"});
}

TEST_F(BrokenModel, TensorsThatAreMissingOrOfAnotherShape)
{
    const auto config = directory.path() / "config.json";
    nlohmann::json object = readJsonFile(config);
    object["intermediate_size"] = 321;
    std::ofstream(config) << object;
    expectError([&] { open(); }, {"model.safetensors", "mlp.gate_proj.weight", "[321, 128]", "[320, 128]"});
    object["intermediate_size"] = 320;
    object["num_hidden_layers"] = 6;
    object["num_nextn_predict_layers"] = 0;
    std::ofstream(config) << object;
    expectError([&] { open(); }, {"model.layers.5.", "found none"});
}

TEST_F(BrokenModel, VocabularyLargerThanTheModels)
{
    const auto config = directory.path() / "config.json";
    nlohmann::json object = readJsonFile(config);
    object["vocab_size"] = 100;
    std::ofstream(config) << object;
    expectError([&] { open(); }, {"tokenizer.json", "vocab_size", "100"});
}

TEST(Checkpoint, FingerprintFollowsTheWeights)
{
    const Checkpoint a(testData + "/deepseek-v3-tiny");
    const Checkpoint b(testData + "/deepseek-v2-tiny");
    EXPECT_EQ(a.fingerprint(), Checkpoint(testData + "/deepseek-v3-tiny").fingerprint());
    EXPECT_NE(a.fingerprint(), b.fingerprint());
}

TEST(Safetensors, RoundTrip)
{
    const TemporaryDirectory directory;
    const std::vector<float> values = {1.5F, -2, 3, 4, 5, 6};
    writeSafetensors(directory.path() / "a.safetensors",
                     {{"x", "F32", {2, 3}, std::as_bytes(std::span(values))}});
    const SafetensorsFile file(directory.path() / "a.safetensors");
    EXPECT_EQ(tensorValues<float>(file, "x"), values);
    EXPECT_EQ(file.tensors().at("x").shape, (std::vector<std::int64_t>{2, 3}));
}

} // namespace
} // namespace bathyscope
