// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/markdown/document.h"

namespace bathyscope::ui::markdown {

/// Where a parse can be taken up again: everything before is settled, whatever follows later.
struct Checkpoint {
    std::size_t offset = 0; ///< byte at which a line, and with it a top-level block, begins
    std::size_t blocks = 0; ///< blocks before it
    std::size_t rendered = 0; ///< byte after the last one that these render
};

struct ParseResult {
    Blocks blocks;
    Checkpoint last; ///< the last place from which a longer source can be parsed anew
};

/// Parses Markdown (CommonMark with tables, strikethrough, task lists and bare addresses) from its beginning
/// or from a checkpoint that an earlier parse of it found. Offsets in the result count from the source's
/// beginning, blocks from the checkpoint.
[[nodiscard]] ParseResult parse(std::string_view source, const Checkpoint &from = {});

/// True when a part of the text may define link references, which can change what came before them.
[[nodiscard]] bool mayDefineReferences(std::string_view source);

/// The first place at which two versions of a document differ.
struct Change {
    std::size_t block = 0;
    int unit = 0; ///< UTF-16 units at the block's beginning that are the same in both
};

/// Compares from block `from` on.
[[nodiscard]] Change firstChange(const Blocks &before, const Blocks &after, std::size_t from = 0);

/// A document that grows at its end: each update parses again only what can have changed.
class IncrementalParser {
public:
    /// Takes the whole source as it is now; returns the first place that may differ from before.
    Change update(std::string_view source);
    [[nodiscard]] const Blocks &blocks() const { return m_blocks; }

private:
    Blocks m_blocks;
    Checkpoint m_checkpoint;
    std::size_t m_seen = 0; ///< bytes of the last update
    bool m_references = false;
};

} // namespace bathyscope::ui::markdown
