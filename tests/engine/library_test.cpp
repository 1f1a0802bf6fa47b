// SPDX-License-Identifier: GPL-3.0-or-later
//
// Models are found in the layouts that programs keep them in, and described without being loaded.
#include "engine/library/model_description.h"
#include "engine/library/model_finder.h"
#include "engine/library/read_bandwidth.h"
#include "engine/session/local_backend.h"
#include "tests/engine/reference_data.h"
#include "tests/engine/temporary_directory.h"

#include <gtest/gtest.h>

#include <fstream>

namespace bathyscope {
namespace {

namespace fs = std::filesystem;

void write(const fs::path &file, const std::string &text)
{
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
}

std::vector<std::string> titlesOf(const std::vector<FoundModel> &models)
{
    std::vector<std::string> titles;
    for (const FoundModel &model : models)
        titles.push_back(model.title);
    return titles;
}

class Library : public testing::Test {
protected:
    TemporaryDirectory m_directory;
    fs::path root = m_directory.path();
};

TEST_F(Library, FindsDirectoriesAndFilesBelowAFolder)
{
    write(root / "a/Some-Model/config.json", "{}");
    write(root / "a/Some-Model/model-00001-of-00002.safetensors", "");
    write(root / "b/split-Q4_K_M-00001-of-00002.gguf", "");
    write(root / "b/split-Q4_K_M-00002-of-00002.gguf", "");
    write(root / "b/mmproj-split.gguf", "");
    write(root / "b/other.gguf", "");
    write(root / "c/config.json", "{}"); // of another program
    write(root / ".hidden/x.gguf", "");
    EXPECT_EQ(titlesOf(findModels(root)), (std::vector<std::string>{"Some-Model", "other", "split-Q4_K_M"}));
    EXPECT_TRUE(findModels(root / "missing").empty());
}

TEST_F(Library, DoesNotLookDeeperThanItsLimit)
{
    fs::path deep = root;
    for (int i = 0; i < 20; ++i)
        deep /= "d";
    write(deep / "x.gguf", "");
    EXPECT_TRUE(findModels(root).empty());
}

TEST_F(Library, FindsTheCommitsOfAHubCache)
{
    const std::string current(40, 'a');
    const std::string old(40, 'b');
    const fs::path repository = root / "models--some-owner--Some-Model";
    for (const std::string &commit : {current, old}) {
        write(repository / "snapshots" / commit / "config.json", "{}");
        write(repository / "snapshots" / commit / "model.safetensors", "");
    }
    write(root / "datasets--x--y/snapshots" / current / "z.gguf", "");
    EXPECT_EQ(findHubModels(root).size(), 2) << "without refs all commits are there";
    write(repository / "refs/main", current + "\n");
    const auto found = findHubModels(root);
    ASSERT_EQ(found.size(), 1);
    EXPECT_EQ(found.front().title, "Some-Model");
    EXPECT_EQ(found.front().path.filename(), current);
}

TEST_F(Library, FindsTheBlobsOfOllama)
{
    const std::string hash(64, '1');
    const auto manifest = [&](const std::string &digest) {
        return R"({"layers":[{"mediaType":"application/vnd.ollama.image.license","digest":"sha256:)" + hash
            + R"("},{"mediaType":"application/vnd.ollama.image.model","digest":")" + digest + R"("}]})";
    };
    write(root / "blobs" / ("sha256-" + hash), "GGUF");
    write(root / "secret", "GGUF");
    const fs::path names = root / "manifests/registry.ollama.ai/library";
    write(names / "qwen2.5/7b", manifest("sha256:" + hash));
    write(names / "gone/latest", manifest("sha256:" + std::string(64, '2')));
    write(names / "leaves/latest", manifest("sha256:../../secret"));
    write(names / "broken/latest", "no JSON");
    const auto found = findOllamaModels(root);
    ASSERT_EQ(titlesOf(found), (std::vector<std::string>{"qwen2.5:7b"}));
    EXPECT_EQ(found.front().path, root / "blobs" / ("sha256-" + hash));
}

TEST_F(Library, DescribesWhatLoadingFinds)
{
    for (const std::string model : {"qwen2-tiny", "qwen3-moe-tiny", "deepseek-v3-tiny-fp8",
                                    "gguf/deepseek-v3-tiny.gguf", "gguf/qwen2-tiny-00001-of-00002.gguf"}) {
        const std::string path = testData + "/" + model;
        const ModelDescription description = describeModel(path);
        EXPECT_EQ(description.refusal, "") << model;
        const LocalBackend backend(path, {.device = "cpu"});
        const ModelInfo &info = backend.model();
        EXPECT_EQ(description.architecture, info.architecture);
        EXPECT_EQ(description.dtype, info.dtype);
        EXPECT_EQ(description.parameters, info.parameters);
        EXPECT_EQ(description.activeParameters, info.activeParameters);
        EXPECT_EQ(description.fileBytes, info.weightBytes);
        EXPECT_EQ(description.contextLength, info.contextLength);
        EXPECT_GT(description.activeBytes, 0);
        EXPECT_LE(description.activeBytes, description.needs->weightBytes(false));
    }
    EXPECT_TRUE(describeModel(testData + "/qwen2-tiny").convertible);
    EXPECT_FALSE(describeModel(testData + "/deepseek-v3-tiny-fp8").convertible);
    EXPECT_FALSE(describeModel(testData + "/gguf/qwen3-tiny.gguf").convertible);
}

TEST_F(Library, AMixtureReadsOnlyItsChosenExperts)
{
    const ModelDescription dense = describeModel(testData + "/qwen3-tiny");
    EXPECT_EQ(dense.activeBytes, dense.needs->weightBytes(false)) << "embedding and head are one";
    const ModelDescription mixture = describeModel(testData + "/qwen3-moe-tiny");
    EXPECT_LT(mixture.activeBytes, mixture.needs->weightBytes(false) * 3 / 4);
}

TEST_F(Library, SaysWhyAModelCannotRun)
{
    write(root / "gemma/config.json", R"({"model_type":"gemma2"})");
    write(root / "gemma/model.safetensors", "12345678");
    const ModelDescription unknown = describeModel(root / "gemma");
    EXPECT_EQ(unknown.architecture, "gemma2");
    EXPECT_EQ(unknown.fileBytes, 8);
    EXPECT_FALSE(unknown.needs);
    EXPECT_NE(unknown.refusal.find("qwen2"), std::string::npos) << unknown.refusal;

    const TemporaryDirectory copy(testData + "/qwen2-tiny");
    fs::remove(copy.path() / "tokenizer.json");
    EXPECT_NE(describeModel(copy.path()).refusal.find("tokenizer.json"), std::string::npos);
    fs::remove(copy.path() / "model.safetensors");
    EXPECT_NE(describeModel(copy.path()).refusal.find("model.safetensors"), std::string::npos);
    write(root / "cut.gguf", "GGUF\x03");
    EXPECT_NE(describeModel(root / "cut.gguf").refusal.find("cut.gguf"), std::string::npos);
    EXPECT_FALSE(describeModel(root / "missing").refusal.empty());
}

TEST_F(Library, AGgufFileNeedsNoEnding)
{
    const fs::path blob = root / ("sha256-" + std::string(64, '1'));
    fs::copy_file(testData + "/gguf/qwen3-tiny.gguf", blob);
    EXPECT_EQ(describeModel(blob).refusal, "");
    EXPECT_EQ(openModelFiles(blob).name, blob.filename()) << "the file does not name itself";
    write(root / "text", "no model");
    EXPECT_NE(describeModel(root / "text").refusal.find("GGUF"), std::string::npos);
}

TEST_F(Library, TitlesAreForPeople)
{
    EXPECT_EQ(modelTitle("/x/models--a--Some-Model/snapshots/" + std::string(40, 'f')), "Some-Model");
    EXPECT_EQ(modelTitle("/x/Some-Model/"), "Some-Model");
    EXPECT_EQ(modelTitle("/x/m-Q4_0-00001-of-00009.gguf"), "m-Q4_0");
    EXPECT_EQ(modelTitle("/x/m-Q4_0.gguf"), "m-Q4_0");
}

TEST_F(Library, BandwidthIsMeasured)
{
    EXPECT_GT(measureReadBandwidth(1), 1e8);
}

} // namespace
} // namespace bathyscope
