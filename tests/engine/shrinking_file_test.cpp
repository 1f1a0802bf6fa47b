// SPDX-License-Identifier: GPL-3.0-or-later
//
// Files that another program cuts short while they are mapped.
#include "engine/checkpoint/mapped_file.h"
#include "engine/checkpoint/safetensors.h"
#include "engine/error.h"
#include "engine/session/backend.h"

#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include <unistd.h>

namespace bathyscope {
namespace {

namespace fs = std::filesystem;

class ShrinkingFile : public testing::Test {
protected:
    ShrinkingFile()
        : m_folder(fs::path(testing::TempDir()) / ("bathyscope-shrinking-" + std::to_string(::getpid())))
    {
        fs::create_directories(m_folder);
    }
    ~ShrinkingFile() override { fs::remove_all(m_folder); }

    fs::path m_folder;
};

int sum(const MappedFile &file)
{
    return std::accumulate(file.bytes().begin(), file.bytes().end(), 0,
                           [](int total, std::byte byte) { return total + std::to_integer<int>(byte); });
}

TEST_F(ShrinkingFile, readsAsZerosAndIsTold)
{
    const fs::path path = m_folder / "file";
    std::ofstream(path) << std::string(100'000, '\1');
    const MappedFile file(path);
    const MappedFile other(path);
    EXPECT_EQ(sum(file), 100'000);
    EXPECT_NO_THROW(file.expectWhole());
    fs::resize_file(path, 5000);
    EXPECT_EQ(sum(file), 5000);
    EXPECT_THROW(file.expectWhole(), Error);
    EXPECT_NO_THROW(other.expectWhole()) << "nothing was read from it";
}

TEST_F(ShrinkingFile, isForgottenWithItsMapping)
{
    const fs::path path = m_folder / "file";
    for (int i = 0; i < 5000; ++i) { // more than can be mapped at a time
        std::ofstream(path) << std::string(10'000, '\1');
        const MappedFile file(path);
        if (i % 1000 == 0) {
            fs::resize_file(path, 0);
            EXPECT_EQ(sum(file), 0);
            EXPECT_THROW(file.expectWhole(), Error);
        }
    }
}

class Sink : public TokenSink {
public:
    void onPrefill(const PrefillProgress &) override { }
    void onToken(TokenRecord &&) override { ++tokens; }
    int tokens = 0;
};

TEST_F(ShrinkingFile, ofAModelEndsTheAnswerWithAnError)
{
    fs::copy(BATHYSCOPE_TEST_DATA "/deepseek-v3-tiny", m_folder, fs::copy_options::recursive);
    const std::unique_ptr<Backend> backend = openLocalBackend(m_folder.string(), {});
    const std::unique_ptr<Session> session = backend->createSession();
    Request request;
    request.prompt = std::vector<TokenId>{1, 2, 3};
    request.sampling.maxTokens = 3;
    Sink sink;
    EXPECT_NO_THROW((void)session->generate(request, sink, {}));
    EXPECT_GT(sink.tokens, 0);
    fs::resize_file(m_folder / "model.safetensors", 4096);
    request.prompt = std::vector<TokenId>{4, 5, 6};
    try {
        (void)session->generate(request, sink, {});
        FAIL() << "an answer was made of zeros";
    } catch (const Error &error) {
        EXPECT_NE(std::string(error.what()).find("changed while it was in use"), std::string::npos);
    }
}

TEST_F(ShrinkingFile, ofAModelEndsTheLoadWithAnError)
{
    fs::copy(BATHYSCOPE_TEST_DATA "/deepseek-v3-tiny", m_folder, fs::copy_options::recursive);
    const SafetensorsFile file(m_folder / "model.safetensors");
    fs::resize_file(m_folder / "model.safetensors", 4096);
    EXPECT_THROW((void)openLocalBackend(m_folder.string(), {}), Error)
        << "sizes are checked against the file";
}

} // namespace
} // namespace bathyscope
