// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/token_blob.h"

#include "storage/blob_io.h"

namespace bathyscope::storage {

namespace {

constexpr std::uint8_t kTokensVersion = 2;
constexpr std::uint8_t kVocabularyVersion = 1;
constexpr std::size_t kFloatSize = 4;

void readTraceOfVersion1(BlobReader &reader, TokenRecord &token)
{
    token.seconds = reader.real();
    token.restMass = reader.real();
    token.top.resize(reader.entries(1 + kFloatSize));
    for (Candidate &candidate : token.top) {
        candidate.id = reader.id();
        candidate.logProb = reader.real();
    }
    token.experts.resize(reader.entries(1 + kFloatSize));
    for (ExpertChoice &choice : token.experts) {
        choice.expert = static_cast<std::uint16_t>(reader.varint(std::numeric_limits<std::uint16_t>::max()));
        choice.weight = reader.real();
    }
}

TokenRecord readToken(BlobReader &reader)
{
    TokenRecord token;
    token.id = reader.id();
    const std::uint8_t section = reader.byte();
    if (section > static_cast<std::uint8_t>(Section::Marker))
        throw Error(fmt::format("section: expected 0 to 2, found {}", section));
    token.section = static_cast<Section>(section);
    token.bytes = reader.bytes();
    token.logProb = reader.real();
    if (reader.version() == 1)
        readTraceOfVersion1(reader, token);
    return token;
}

} // namespace

std::string packTokens(std::span<const TokenRecord> tokens)
{
    BlobWriter writer(kTokensVersion, tokens.size());
    for (const TokenRecord &token : tokens) {
        writer.id(token.id);
        writer.byte(static_cast<std::uint8_t>(token.section));
        writer.bytes(token.bytes);
        writer.real(token.logProb);
    }
    return writer.finish();
}

std::vector<TokenRecord> unpackTokens(std::string_view blob)
{
    BlobReader reader(blob, kTokensVersion, kTokensPerBlob);
    std::vector<TokenRecord> tokens;
    tokens.reserve(reader.count());
    for (std::size_t i = 0; i < reader.count(); ++i)
        tokens.push_back(readToken(reader));
    reader.expectEnd();
    return tokens;
}

std::string packVocabulary(const Vocabulary &vocabulary)
{
    BlobWriter writer(kVocabularyVersion, vocabulary.size());
    for (const std::string &bytes : vocabulary)
        writer.bytes(bytes);
    return writer.finish();
}

Vocabulary unpackVocabulary(std::string_view blob)
{
    BlobReader reader(blob, kVocabularyVersion, limits::maxStoredVocabulary);
    Vocabulary vocabulary;
    for (std::size_t i = 0; i < reader.count(); ++i)
        vocabulary.push_back(reader.bytes());
    reader.expectEnd();
    return vocabulary;
}

} // namespace bathyscope::storage
