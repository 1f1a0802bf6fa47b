// SPDX-License-Identifier: GPL-3.0-or-later
//
// A model's chat template: the Jinja of `tokenizer_config.json`, `chat_template.jinja` or a GGUF file.
#pragma once

#include "engine/records.h"

#include <nlohmann/json_fwd.hpp>

#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bathyscope {

/// A stretch of a rendered prompt. Scaffolding is the template's own text and may spell special tokens;
/// content came from a message and must be tokenised as plain text, so that it cannot forge a turn.
struct PromptPiece {
    std::string text;
    bool scaffolding = true;

    bool operator==(const PromptPiece &) const = default;
};

class ChatTemplate {
public:
    /// Parses Jinja source; throws Error with line and column. `name` is used in errors.
    ChatTemplate(const std::string &source, const std::string &name);

    /// From a model directory: `chat_template.jinja` first, else `chat_template` of tokenizer_config.json
    /// (a string, or a list of named templates of which "default" is taken). The directory's `bos_token`
    /// and `eos_token` (a string, or an object with `content`) become variables. Throws Error where there
    /// is no template.
    static ChatTemplate fromModelDirectory(const std::filesystem::path &directory);

    /// From the metadata of a GGUF file, which is named in errors. Throws Error where there is no template.
    static ChatTemplate fromGguf(const nlohmann::json &metadata, const std::filesystem::path &file);

    ChatTemplate(ChatTemplate &&) noexcept;
    ChatTemplate &operator=(ChatTemplate &&) noexcept;
    ~ChatTemplate();

    /// Renders with the given variables (`messages` and whatever else the template reads). Every string
    /// inside `messages` counts as content, wherever the template moves, cuts or joins it; literals of the
    /// template and the other variables are scaffolding. Neighbouring pieces of one kind are joined.
    /// Throws Error for what the template raises, for unsupported constructs and for exceeded limits.
    [[nodiscard]] std::vector<PromptPiece> render(const nlohmann::json &variables) const;

    /// The same, with the entries of every object in their given order, which `tojson` and loops over dicts
    /// show (nlohmann::json sorts them).
    [[nodiscard]] std::vector<PromptPiece> renderOrdered(const nlohmann::ordered_json &variables) const;

    /// The prompt for a reply to `messages`: add_generation_prompt, bos_token and eos_token set.
    [[nodiscard]] std::vector<PromptPiece> renderPrompt(const std::vector<Message> &messages) const;

    /// What the template's strftime_now() takes for the present; the system's clock unless set.
    void setClock(std::function<std::time_t()> clock);

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace bathyscope
