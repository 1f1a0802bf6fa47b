// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/transcript.h"

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

void Transcript::reset()
{
    m_items.clear();
    if (m_model->rowCount() > 0)
        insert(0, m_model->rowCount() - 1);
}

void Transcript::insert(int first, int last)
{
    std::vector<Item> added(static_cast<std::size_t>(last - first + 1));
    for (int row = first; row <= last; ++row) {
        Item &item = added[static_cast<std::size_t>(row - first)];
        item.id = m_model->message(row).id;
        item.height = MessageLayout::estimate(m_model->message(row), m_width);
    }
    m_items.insert(m_items.begin() + first, std::make_move_iterator(added.begin()),
                   std::make_move_iterator(added.end()));
    restack(first);
}

void Transcript::remove(int first, int last)
{
    m_items.erase(m_items.begin() + first, m_items.begin() + last + 1);
    restack(first);
}

void Transcript::markDirty(int row)
{
    if (row >= 0 && row < count())
        item(row).dirty = true;
}

void Transcript::setWidth(qreal width)
{
    if (qFuzzyCompare(m_width, width))
        return;
    m_width = width;
    for (Item &each : m_items) {
        each.dirty = true;
        if (!each.layout)
            each.height = MessageLayout::estimate(*m_model->find(each.id), width);
    }
    restack(0);
}

void Transcript::invalidate()
{
    for (Item &each : m_items) {
        each.dirty = true;
        if (each.layout)
            each.layout->invalidate();
    }
}

MessageLayout &Transcript::prepare(int row)
{
    Item &each = item(row);
    if (!each.layout)
        each.layout = std::make_unique<MessageLayout>();
    if (each.dirty) {
        const ChatMessage &message = m_model->message(row);
        if (each.view.openness < 0)
            each.view.openness = each.view.wantsOpen(message) ? 1 : 0;
        each.layout->update(message, each.view, m_width);
        each.dirty = false;
    }
    if (!qFuzzyCompare(each.height, each.layout->height())) {
        each.height = each.layout->height();
        restack(row);
    }
    return *each.layout;
}

qreal Transcript::height() const
{
    return m_items.empty() ? 0 : m_items.back().top + m_items.back().height + bottomMargin;
}

int Transcript::rowAt(qreal y) const
{
    const auto after = std::upper_bound(m_items.begin(), m_items.end(), y,
                                        [](qreal at, const Item &each) { return at < each.top; });
    return after == m_items.begin() ? std::min(count(), 1) - 1
                                    : static_cast<int>(after - m_items.begin()) - 1;
}

qreal Transcript::layOutVisible(qreal scroll, qreal height, bool follow)
{
    // Each pass corrects estimates, by which other messages come into sight; a few passes settle it.
    constexpr int enough = 12;
    for (int pass = 0; pass < enough && !m_items.empty(); ++pass) {
        if (follow)
            scroll = std::max(this->height() - height, 0.0);
        const Anchor anchor = anchorAt(scroll, height);
        const bool changed = layOutPass(scroll, scroll + height);
        if (!follow)
            scroll = scrollFor(anchor, scroll);
        if (!changed)
            break;
    }
    return std::clamp(scroll, 0.0, std::max(this->height() - height, 0.0));
}

bool Transcript::layOutPass(qreal top, qreal bottom)
{
    bool changed = false;
    for (int row = rowAt(top); row < count() && item(row).top < bottom; ++row) {
        const qreal before = item(row).height;
        MessageLayout &layout = prepare(row);
        layout.layOut(top - item(row).top, bottom - item(row).top);
        if (!qFuzzyCompare(before, layout.height())) {
            item(row).height = layout.height();
            restack(row);
            changed = true;
        }
    }
    return changed;
}

Transcript::Anchor Transcript::anchorAt(qreal scroll, qreal height) const
{
    const int first = rowAt(scroll);
    for (int row = first; row < count() && item(row).top < scroll + height; ++row) {
        const Item &each = item(row);
        if (!each.layout)
            continue;
        for (const Section section : {Section::Reasoning, Section::Answer}) {
            const SectionLayout &layout = each.layout->section(section);
            const bool shown = section == Section::Answer || (each.view.openness > 0 && !layout.isEmpty());
            const qreal origin = each.top + each.layout->originOf(section).y();
            if (!shown || layout.isEmpty() || origin + layout.height() < scroll)
                continue;
            for (std::size_t i = layout.pieceAt(scroll - origin); i < layout.pieces().size(); ++i) {
                const SectionLayout::Piece &piece = layout.pieces()[i];
                if (origin + piece.top > scroll + height)
                    break;
                if (piece.exact)
                    return {row, section, i, origin + piece.top - scroll, 0};
            }
        }
    }
    const Item &item0 = item(first);
    const qreal share = item0.height > 0 ? std::clamp((scroll - item0.top) / item0.height, 0.0, 1.0) : 0;
    return {first, Section::Marker, 0, scroll - item0.top < 0 ? item0.top - scroll : 0, share};
}

qreal Transcript::scrollFor(const Anchor &anchor, qreal scroll) const
{
    const Item &each = item(anchor.row);
    if (anchor.section == Section::Marker)
        return each.top + anchor.share * each.height - anchor.offset;
    const SectionLayout &layout = each.layout->section(anchor.section);
    if (anchor.piece >= layout.pieces().size())
        return scroll;
    const qreal origin = each.top + each.layout->originOf(anchor.section).y();
    return std::round(origin + layout.pieces()[anchor.piece].top - anchor.offset);
}

void Transcript::restack(int from)
{
    qreal y = topMargin;
    if (from > 0)
        y = item(from - 1).top + item(from - 1).height;
    for (int row = from; row < count(); ++row) {
        item(row).top = y;
        y += item(row).height;
    }
}

} // namespace bathyscope::ui
