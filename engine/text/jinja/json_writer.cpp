// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/limits.h"
#include "engine/text/jinja/library.h"

#include <algorithm>
#include <fmt/format.h>

namespace bathyscope::jinja {

namespace {

class JsonWriter {
public:
    JsonWriter(Interpreter &in, const Arguments &arguments)
        : m_in(in)
        , m_sortKeys(flagArgument(arguments, 3, "sort_keys", false))
    {
        const Value *indent = arguments.get(0, "indent");
        if (indent && !indent->isNone()) {
            m_pretty = true;
            const std::int64_t width = indent->text() ? 0 : integerArgument(in, arguments, 0, "indent", 0);
            if (width > 100) {
                in.fail("tojson: expected an indent of at most 100");
            }
            m_indent = indent->text()
                ? indent->text()->bytes()
                : std::string(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)), ' ');
            m_itemSeparator = ",";
        }
        const Value *separators = arguments.get(2, "separators");
        if (separators && separators->list() && separators->list()->items.size() == 2) {
            m_itemSeparator = in.toText(separators->list()->items[0]).bytes();
            m_keySeparator = in.toText(separators->list()->items[1]).bytes();
        }
    }

    Text take(const Value &value)
    {
        write(value, 0);
        return std::move(m_text);
    }

private:
    void put(std::string_view text) { m_text.append(text, Origin::Scaffolding); }

    void write(const Value &value, std::size_t depth)
    {
        m_in.charge(1);
        if (depth > limits::maxTemplateDepth || m_text.size() > limits::maxTemplateOutput) {
            m_in.fail("tojson: the value is too deep or too large");
        }
        if (const Text *text = value.text()) {
            writeString(*text);
        } else if (const List *list = value.list()) {
            writeItems(list->items.size(), "[", "]", depth,
                       [&](std::size_t i) { write(list->items[i], depth + 1); });
        } else if (const Dict *dict = value.dict()) {
            writeDict(*dict, depth);
        } else if (value.isNone()) {
            put("null");
        } else if (const bool *boolean = value.boolean()) {
            put(*boolean ? "true" : "false");
        } else if (asNumber(value)) {
            put(m_in.toText(value).bytes());
        } else {
            m_in.fail(fmt::format("tojson: a {} has no form in JSON", typeName(value)));
        }
    }

    template <typename WriteItem>
    void writeItems(std::size_t count, const char *open, const char *close, std::size_t depth,
                    WriteItem writeItem)
    {
        put(open);
        for (std::size_t i = 0; i < count; ++i) {
            put(i > 0 ? m_itemSeparator : "");
            breakLine(depth + 1);
            writeItem(i);
        }
        if (count > 0) {
            breakLine(depth);
        }
        put(close);
    }

    void writeDict(const Dict &dict, std::size_t depth)
    {
        std::vector<const std::pair<Value, Value> *> entries;
        for (const auto &entry : dict.entries) {
            entries.push_back(&entry);
        }
        if (m_sortKeys) {
            std::stable_sort(entries.begin(), entries.end(), [&](const auto *a, const auto *b) {
                return m_in.toText(a->first).bytes() < m_in.toText(b->first).bytes();
            });
        }
        writeItems(entries.size(), "{", "}", depth, [&](std::size_t i) {
            const auto &[key, value] = *entries[i];
            writeString(key.text() ? *key.text() : m_in.toText(key));
            put(m_keySeparator);
            write(value, depth + 1);
        });
    }

    void breakLine(std::size_t depth)
    {
        if (m_pretty) {
            put("\n");
            for (std::size_t i = 0; i < depth; ++i) {
                put(m_indent);
            }
        }
    }

    void writeString(const Text &text)
    {
        static constexpr std::string_view escapes = "\"\"\\\\\nn\rr\tt\bb\ff";
        put("\"");
        std::size_t plain = 0;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const char c = text.bytes()[i];
            if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') {
                continue;
            }
            m_text.append(text.slice(plain, i - plain));
            plain = i + 1;
            std::string escaped =
                fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
            for (std::size_t e = 0; e < escapes.size(); e += 2) {
                if (escapes[e] == c) {
                    escaped = std::string{'\\', escapes[e + 1]};
                }
            }
            m_text.append(escaped, text.origin(i));
        }
        m_text.append(text.slice(plain));
        put("\"");
    }

    Interpreter &m_in;
    Text m_text;
    bool m_pretty = false;
    bool m_sortKeys = false;
    std::string m_indent;
    std::string m_itemSeparator = ", ";
    std::string m_keySeparator = ": ";
};

} // namespace

Value toJson(Interpreter &in, const Value &value, const Arguments &arguments)
{
    // Hugging Face: tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False); Jinja2
    // itself has the indent first, and that is what templates give by position.
    return makeText(JsonWriter(in, arguments).take(value));
}

} // namespace bathyscope::jinja
