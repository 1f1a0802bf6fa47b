// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/reasoning_parser.h"

#include <algorithm>

namespace bathyscope {

namespace {

constexpr std::string_view openTag = "<think>";
constexpr std::string_view closeTag = "</think>";
constexpr std::string_view whiteSpace = " \t\r\n";

bool isSpace(char c)
{
    return whiteSpace.find(c) != std::string_view::npos;
}

} // namespace

ReasoningParser::ReasoningParser(std::string_view renderedPrompt)
{
    const std::size_t last = renderedPrompt.find_last_not_of(whiteSpace);
    const std::string_view prompt = renderedPrompt.substr(0, last + 1);
    const bool open = prompt.ends_with(openTag);
    m_afterTag = open || prompt.ends_with(closeTag);
    m_mayOpen = !open;
    m_current = open ? Section::Reasoning : Section::Answer;
}

std::string_view ReasoningParser::awaitedTag() const
{
    if (m_current == Section::Reasoning) {
        return closeTag;
    }
    return m_mayOpen ? openTag : std::string_view();
}

void ReasoningParser::decide(std::size_t bytes, Section section)
{
    for (Held &held : m_held) {
        const std::size_t taken = std::min(bytes, held.undecided);
        if (taken > 0 && section != Section::Marker) {
            held.record.section = section;
        }
        held.undecided -= taken;
        bytes -= taken;
        if (bytes == 0) {
            break;
        }
    }
}

void ReasoningParser::scan(char byte)
{
    const std::string_view tag = awaitedTag();
    if (m_matched < tag.size() && byte == tag[m_matched]) {
        if (++m_matched == tag.size()) {
            decide(m_space + m_matched, Section::Marker);
            m_current = m_current == Section::Reasoning ? Section::Answer : Section::Reasoning;
            m_mayOpen = false;
            m_afterTag = true;
            m_space = 0;
            m_matched = 0;
        }
        return;
    }
    const bool space = isSpace(byte);
    if (space && m_matched == 0 && m_afterTag) {
        decide(1, Section::Marker);
        return;
    }
    if (space && m_matched == 0 && m_mayOpen) {
        ++m_space;
        return;
    }
    decide(m_space + m_matched, m_current);
    m_space = 0;
    // A tag has `<` at its beginning only, so the byte that broke a match can do no more than begin another.
    const bool restarts = m_matched > 0 && m_current == Section::Reasoning && byte == closeTag.front();
    m_afterTag = false;
    m_mayOpen = false;
    m_matched = restarts ? 1 : 0;
    if (!restarts) {
        decide(1, m_current);
    }
}

std::vector<TokenRecord> ReasoningParser::push(TokenRecord &&record)
{
    record.section = record.bytes.empty() ? m_current : Section::Marker;
    m_held.push_back({std::move(record), 0});
    Held &held = m_held.back();
    for (const char byte : held.record.bytes) {
        ++held.undecided;
        scan(byte);
    }
    return release();
}

std::vector<TokenRecord> ReasoningParser::release()
{
    std::vector<TokenRecord> ready;
    while (!m_held.empty() && m_held.front().undecided == 0) {
        ready.push_back(std::move(m_held.front().record));
        m_held.pop_front();
    }
    return ready;
}

std::vector<TokenRecord> ReasoningParser::finish()
{
    decide(m_space + m_matched, m_current);
    m_space = 0;
    m_matched = 0;
    return release();
}

} // namespace bathyscope
