// SPDX-License-Identifier: GPL-3.0-or-later
//
// Byte-level BPE as written in a hub `tokenizer.json` (Hugging Face tokenizers' format) or in a GGUF file.
#pragma once

#include "engine/records.h"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace bathyscope {

/// What to do with text that spells an added token such as `<｜User｜>`.
enum class AddedTokens { Recognise, Plain };

class Tokenizer {
public:
    /// Throws Error naming the file and key for anything missing, malformed or of an unsupported kind.
    static Tokenizer fromFile(const std::filesystem::path &tokenizerJson);

    /// From the metadata of a GGUF file, which is named in errors.
    static Tokenizer fromGguf(const nlohmann::json &metadata, const std::filesystem::path &file);

    Tokenizer(Tokenizer &&) noexcept;
    Tokenizer &operator=(Tokenizer &&) noexcept;
    ~Tokenizer();

    /// Ids of UTF-8 `text`; no BOS or EOS is added. Invalid UTF-8 is replaced by U+FFFD, a byte at a time.
    [[nodiscard]] std::vector<TokenId> encode(std::string_view text, AddedTokens addedTokens) const;

    /// Raw bytes of every id in order, those of added tokens included.
    [[nodiscard]] std::string decode(std::span<const TokenId> ids) const;

    /// Raw bytes by id; ids that the file leaves out are empty.
    [[nodiscard]] const std::shared_ptr<const Vocabulary> &vocabulary() const;

    /// Id of an added token by its content.
    [[nodiscard]] std::optional<TokenId> addedToken(std::string_view content) const;

    [[nodiscard]] bool isAddedToken(TokenId id) const;

    /// Added token whose file entry has `"special": true` (never shown as text).
    [[nodiscard]] bool isSpecialToken(TokenId id) const;

private:
    struct Impl;
    explicit Tokenizer(std::unique_ptr<const Impl> impl);
    std::unique_ptr<const Impl> m_impl;
};

} // namespace bathyscope
