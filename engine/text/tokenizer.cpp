// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/tokenizer.h"

#include "engine/error.h"
#include "engine/text/tokenizer/gguf_tokenizer.h"
#include "engine/text/tokenizer/nfc.h"
#include "engine/text/tokenizer/tokenizer_file.h"
#include "engine/text/tokenizer/utf8.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace bathyscope {

namespace {

std::vector<AddedToken> selected(const TokenizerFile &file, bool normalized)
{
    std::vector<AddedToken> tokens;
    for (AddedToken token : file.addedTokens) {
        if (token.normalized == normalized) {
            token.content = normalized && file.composes ? nfc::normalised(token.content) : token.content;
            tokens.push_back(std::move(token));
        }
    }
    return tokens;
}

} // namespace

struct Tokenizer::Impl {
    explicit Impl(TokenizerFile tokenizerFile)
        : file(std::move(tokenizerFile))
        , vocabulary(std::make_shared<const Vocabulary>(std::move(file.vocabulary)))
        , rawMatcher(selected(file, false))
        , normalizedMatcher(selected(file, true))
    {
        for (const AddedToken &token : file.addedTokens) {
            added.emplace(token.content, token.id);
            addedIds.insert(token.id);
            if (token.special) {
                specialIds.insert(token.id);
            }
        }
    }

    /// Everything one call of encode() needs; its order is that of destruction reversed.
    struct Call {
        std::deque<std::string> storage; ///< normalised text
        PreTokenizer::Workspace words;
        BytePairEncoder::Workspace merging;
        std::vector<TokenId> ids;
    };

    /// Text without added tokens, already normalised.
    void encodeWords(std::string_view text, Call &call) const
    {
        file.preTokenizer.split(text, call.words);
        for (const std::string_view word : call.words.words) {
            file.encoder.encode(word, call.merging, call.ids);
        }
    }

    std::string_view normalised(std::string_view text, Call &call) const
    {
        return file.composes ? std::string_view(call.storage.emplace_back(nfc::normalised(text))) : text;
    }

    void encodeRecognising(std::string_view text, Call &call) const
    {
        for (const auto &piece : rawMatcher.split(text)) {
            if (piece.token) {
                call.ids.push_back(*piece.token);
                continue;
            }
            for (const auto &inner : normalizedMatcher.split(normalised(piece.text, call))) {
                if (inner.token) {
                    call.ids.push_back(*inner.token);
                } else {
                    encodeWords(inner.text, call);
                }
            }
        }
    }

    TokenizerFile file;
    std::shared_ptr<const Vocabulary> vocabulary;
    AddedTokenMatcher rawMatcher;
    AddedTokenMatcher normalizedMatcher;
    std::unordered_map<std::string, TokenId> added;
    std::unordered_set<TokenId> addedIds;
    std::unordered_set<TokenId> specialIds;
};

Tokenizer::Tokenizer(std::unique_ptr<const Impl> impl)
    : m_impl(std::move(impl))
{
}

Tokenizer::Tokenizer(Tokenizer &&) noexcept = default;
Tokenizer &Tokenizer::operator=(Tokenizer &&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::fromFile(const std::filesystem::path &tokenizerJson)
{
    return Tokenizer(std::make_unique<const Impl>(readTokenizerFile(tokenizerJson)));
}

Tokenizer Tokenizer::fromGguf(const nlohmann::json &metadata, const std::filesystem::path &file)
{
    return Tokenizer(std::make_unique<const Impl>(readTokenizer(hubTokenizer(metadata, file), file)));
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, AddedTokens addedTokens) const
{
    std::string valid;
    if (!utf8::isValid(text)) {
        valid = utf8::sanitised(text);
        text = valid;
    }
    Impl::Call call;
    if (addedTokens == AddedTokens::Recognise) {
        m_impl->encodeRecognising(text, call);
    } else {
        m_impl->encodeWords(m_impl->normalised(text, call), call);
    }
    return std::move(call.ids);
}

std::string Tokenizer::decode(std::span<const TokenId> ids) const
{
    const Vocabulary &vocabulary = *m_impl->vocabulary;
    std::string text;
    for (const TokenId id : ids) {
        if (id < 0 || static_cast<std::size_t>(id) >= vocabulary.size()) {
            throw Error(fmt::format("token id: expected 0 to {}, found {}", vocabulary.size() - 1, id));
        }
        text += vocabulary[static_cast<std::size_t>(id)];
    }
    return text;
}

const std::shared_ptr<const Vocabulary> &Tokenizer::vocabulary() const
{
    return m_impl->vocabulary;
}

std::optional<TokenId> Tokenizer::addedToken(std::string_view content) const
{
    const auto found = m_impl->added.find(std::string(content));
    return found == m_impl->added.end() ? std::nullopt : std::optional(found->second);
}

bool Tokenizer::isAddedToken(TokenId id) const
{
    return m_impl->addedIds.contains(id);
}

bool Tokenizer::isSpecialToken(TokenId id) const
{
    return m_impl->specialIds.contains(id);
}

} // namespace bathyscope
