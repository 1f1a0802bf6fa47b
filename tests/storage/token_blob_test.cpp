// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/token_blob.h"

#include "engine/error.h"
#include "storage/crc32.h"
#include "tests/storage/storage_test.h"

#include <gtest/gtest.h>

namespace bathyscope::storage::test {
namespace {

/// Every float of a record as bits, so that -0 differs from 0.
std::vector<std::uint32_t> floatBits(const TokenRecord &token)
{
    std::vector<std::uint32_t> bits;
    const auto add = [&](float value) { bits.push_back(std::bit_cast<std::uint32_t>(value)); };
    add(token.logProb);
    add(token.restMass);
    add(token.seconds);
    for (const Candidate &candidate : token.top)
        add(candidate.logProb);
    for (const ExpertChoice &choice : token.experts)
        add(choice.weight);
    return bits;
}

/// Puts the right checksum before a forged body.
std::string withChecksum(const std::string &body)
{
    const std::uint32_t checksum = crc32(body);
    std::string blob;
    for (unsigned i = 0; i < 4; ++i)
        blob += static_cast<char>(checksum >> (8 * i));
    return blob + body;
}

TEST(Crc32, isThatOfThePublishedTestVector)
{
    EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
    EXPECT_EQ(crc32(""), 0U);
    EXPECT_EQ(crc32("The quick brown fox jumps over the lazy dog"), 0x414FA339U);
}

TEST(TokenBlob, wordsOfAnyRecordsComeBackBitForBit)
{
    std::mt19937 random(1);
    for (std::size_t round = 0; round < 200; ++round) {
        const std::vector<TokenRecord> tokens = randomTokens(random, random() % (kTokensPerBlob + 1));
        const std::vector<TokenRecord> back = unpackTokens(packTokens(tokens));
        ASSERT_EQ(back.size(), tokens.size());
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            ASSERT_EQ(back[i], wordsOf(tokens[i]));
            ASSERT_EQ(floatBits(back[i]), floatBits(wordsOf(tokens[i])));
        }
    }
}

TEST(TokenBlob, everyFlippedBitIsNoticed)
{
    std::mt19937 random(2);
    const std::string blob = packTokens(randomTokens(random, 3));
    for (std::size_t bit = 0; bit < blob.size() * 8; ++bit) {
        std::string damaged = blob;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_THROW((void)unpackTokens(damaged), Error) << "bit " << bit;
    }
}

TEST(TokenBlob, everyTruncationIsNoticedEvenWithARightChecksum)
{
    std::mt19937 random(3);
    const std::string blob = packTokens(randomTokens(random, 5));
    for (std::size_t size = 0; size < blob.size(); ++size)
        EXPECT_THROW((void)unpackTokens(blob.substr(0, size)), Error) << size;
    const std::string body = blob.substr(4);
    for (std::size_t size = 0; size < body.size(); ++size)
        EXPECT_THROW((void)unpackTokens(withChecksum(body.substr(0, size))), Error) << size;
    EXPECT_THROW((void)unpackTokens(withChecksum(body + "x")), Error);
}

TEST(TokenBlob, forgedBytesNeverCrash)
{
    std::mt19937 random(4);
    const std::string body = packTokens(randomTokens(random, 20)).substr(4);
    for (int round = 0; round < 20'000; ++round) {
        std::string forged = body;
        for (int change = 0; change < 3; ++change)
            forged[random() % forged.size()] = static_cast<char>(random());
        try {
            EXPECT_LE(unpackTokens(withChecksum(forged)).size(), kTokensPerBlob);
        } catch (const Error &) {
            continue;
        }
    }
}

TEST(TokenBlob, aGreaterVersionAndTooManyTokensAreRefused)
{
    EXPECT_EQ(unpackTokens(withChecksum(std::string("\2\0", 2))).size(), 0U);
    EXPECT_THROW((void)unpackTokens(withChecksum(std::string("\3\0", 2))), Error);
    EXPECT_THROW((void)unpackTokens(withChecksum(std::string("\0\0", 2))), Error);
    std::mt19937 random(5);
    EXPECT_THROW((void)unpackTokens(packTokens(randomTokens(random, kTokensPerBlob + 1))), Error);
}

TEST(TokenBlob, ofVersion1HasItsTraces)
{
    // One token: id 5, Answer, "ab", log-probability -1, 0.5 s, rest 0.25, one candidate (5, -1), one expert
    // (7, 0.5).
    const std::string one("\x00\x00\x80\xBF", 4); // -1
    const std::string half("\x00\x00\x00\x3F", 4); // 0.5
    const std::string quarter("\x00\x00\x80\x3E", 4); // 0.25
    const std::string body = std::string("\1\1\5\1\2ab", 7) + one + half + quarter + std::string("\1\5", 2)
        + one + std::string("\1\7", 2) + half;
    const std::vector<TokenRecord> tokens = unpackTokens(withChecksum(body));
    TokenRecord expected;
    expected.id = 5;
    expected.bytes = "ab";
    expected.logProb = -1;
    expected.seconds = 0.5F;
    expected.restMass = 0.25F;
    expected.top = {{5, -1.0F}};
    expected.experts = {{7, 0.5F}};
    EXPECT_EQ(tokens, std::vector<TokenRecord>{expected});
    for (std::size_t size = 0; size < body.size(); ++size)
        EXPECT_THROW((void)unpackTokens(withChecksum(body.substr(0, size))), Error) << size;
}

TEST(VocabularyBlob, anyBytesComeBack)
{
    std::mt19937 random(6);
    Vocabulary vocabulary(5000);
    for (std::string &bytes : vocabulary)
        for (std::size_t i = random() % 200; i > 0; --i)
            bytes += static_cast<char>(random());
    const std::string blob = packVocabulary(vocabulary);
    EXPECT_EQ(unpackVocabulary(blob), vocabulary);
    EXPECT_EQ(unpackVocabulary(packVocabulary({})), Vocabulary{});
    EXPECT_THROW((void)unpackVocabulary(blob.substr(0, blob.size() - 1)), Error);
}

} // namespace
} // namespace bathyscope::storage::test
