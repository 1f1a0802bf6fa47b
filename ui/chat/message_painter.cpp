// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/message_painter.h"

#include "ui/charts/fork_tree_picture.h"
#include "ui/chat/section_painter.h"
#include "ui/theme/theme.h"

#include <QFontMetricsF>
#include <QPainterPath>

namespace bathyscope::ui {

namespace {

/// A triangle that points right when closed and down when open, turning in between.
void paintTriangle(QPainter &painter, QPointF centre, double openness, const QColor &color)
{
    QPainterPath path;
    path.moveTo(-2.5, -4);
    path.lineTo(3.5, 0);
    path.lineTo(-2.5, 4);
    path.closeSubpath();
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.translate(centre);
    painter.rotate(90 * openness);
    painter.fillPath(path, color);
    painter.restore();
}

} // namespace

MessagePainter::MessagePainter(QPainter &painter, const MessageLayout &layout, const ChatMessage &message,
                               const MessageView &view, const MessageMarks &marks)
    : m_painter(painter)
    , m_layout(layout)
    , m_message(message)
    , m_view(view)
    , m_marks(marks)
{
}

void MessagePainter::paint(qreal top, qreal bottom)
{
    m_painter.setRenderHint(QPainter::Antialiasing);
    if (m_layout.isOwn()) {
        m_painter.setPen(Qt::NoPen);
        m_painter.setBrush(theme::colors().ownMessage);
        m_painter.drawRoundedRect(m_layout.bubble(), 10, 10);
    } else if (!m_layout.reasoningBox().isEmpty()) {
        paintReasoning(top, bottom);
    }
    paintSection(Section::Answer, top, bottom);
    if (!m_layout.note().isEmpty())
        paintNote();
    if (m_layout.footer().top() < bottom && m_layout.footer().bottom() > top) {
        paintFooter();
        if (!m_layout.tree().isEmpty())
            paintTree();
    }
    paintHotspots(top, bottom);
}

void MessagePainter::paintReasoning(qreal top, qreal bottom)
{
    const Colors &colors = theme::colors();
    const QRectF &box = m_layout.reasoningBox();
    QPainterPath ground;
    ground.setFillRule(Qt::WindingFill);
    ground.addRoundedRect(box, theme::radius, theme::radius);
    ground.addRect(box.left(), box.top(), theme::radius, box.height());
    m_painter.fillPath(ground, colors.reasoning);
    m_painter.fillRect(QRectF(box.left(), box.top(), MessageLayout::rule, box.height()), colors.accent);

    const double openness = std::max(m_view.openness, 0.0);
    paintTriangle(m_painter, {box.left() + 20, box.top() + MessageLayout::headerHeight / 2.0}, openness,
                  colors.text);
    QFont font = theme::textFont();
    font.setPixelSize(13);
    font.setWeight(QFont::Medium);
    const QString title = m_message.isRunning() && m_message.answer.tokens.empty()
        ? QStringLiteral("Reasoning …")
        : QStringLiteral("Reasoning");
    const QRectF header(box.left() + 31, box.top(), box.width() - 40, MessageLayout::headerHeight);
    m_painter.setFont(font);
    m_painter.setPen(colors.text);
    m_painter.drawText(header, Qt::AlignVCenter | Qt::AlignLeft, title);
    const qreal used = QFontMetricsF(font).horizontalAdvance(title);
    m_painter.setFont(theme::smallFont());
    m_painter.setPen(colors.secondary);
    m_painter.drawText(header.adjusted(used + 10, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft,
                       m_layout.reasoningCaption());
    if (openness > 0) {
        m_painter.save();
        m_painter.setClipRect(box, Qt::IntersectClip);
        paintSection(Section::Reasoning, top, std::min(bottom, box.bottom()));
        m_painter.restore();
    }
}

void MessagePainter::paintSection(Section which, qreal top, qreal bottom)
{
    const QPointF origin = m_layout.originOf(which);
    const bool reply = m_message.role == Role::Assistant;
    m_painter.save();
    m_painter.translate(origin);
    SectionPainter section(m_painter, m_layout.section(which), which, m_marks);
    if (m_view.raw && reply)
        section.setTokens(which == Section::Reasoning ? &m_message.reasoning : &m_message.answer);
    if (m_marks.colorBy != ColorBy::Nothing && reply) {
        section.setHeat(&m_message);
        section.setColor(theme::colors().text);
    }
    section.paint(top - origin.y(), bottom - origin.y());
    m_painter.restore();
}

void MessagePainter::paintNote()
{
    const bool failed = m_message.state == MessageState::Failed;
    const MessageMarks none;
    m_painter.save();
    m_painter.translate(m_layout.noteOrigin());
    SectionPainter note(m_painter, m_layout.note(), Section::Marker, none);
    note.setColor(failed ? theme::colors().error : theme::colors().secondary);
    note.paint(0, m_layout.note().height());
    m_painter.restore();
}

void MessagePainter::paintFooter()
{
    const Colors &colors = theme::colors();
    const QRectF &footer = m_layout.footer();
    m_painter.setFont(theme::smallFont());
    m_painter.setPen(colors.secondary);
    m_painter.drawText(footer, Qt::AlignVCenter | Qt::AlignRight, m_layout.status());
    if (m_layout.progress().isEmpty())
        return;
    m_painter.drawText(footer, Qt::AlignVCenter | Qt::AlignLeft, m_layout.progress());
    const qreal used = QFontMetricsF(theme::smallFont()).horizontalAdvance(m_layout.progress());
    const QRectF bar(footer.left() + used + 16, footer.center().y() - 2, 120, 4);
    m_painter.setPen(Qt::NoPen);
    m_painter.setBrush(colors.line);
    m_painter.drawRoundedRect(bar, 2, 2);
    m_painter.setBrush(colors.accent);
    if (m_layout.progressShare() > 0)
        m_painter.drawRoundedRect(QRectF(bar.topLeft(), QSizeF(bar.width() * m_layout.progressShare(), 4)), 2,
                                  2);
}

void MessagePainter::paintTree()
{
    const auto hovered = static_cast<std::size_t>(m_marks.hoveredHotspot);
    const std::vector<Hotspot> &hotspots = m_layout.hotspots();
    const bool lane = hovered < hotspots.size() && hotspots[hovered].action == Action::ShowSibling;
    m_painter.save();
    ForkTreePicture(m_view.branches, m_view.sibling, m_layout.tree(), MessageLayout::leastLane)
        .paint(m_painter, lane ? hotspots[hovered].argument : -1);
    m_painter.restore();
}

void MessagePainter::paintHotspots(qreal top, qreal bottom)
{
    const std::vector<Hotspot> &hotspots = m_layout.hotspots();
    QRectF previous;
    for (std::size_t i = 0; i < hotspots.size(); ++i) {
        const Hotspot &hotspot = hotspots[i];
        const bool sibling =
            hotspot.action == Action::PreviousSibling || hotspot.action == Action::NextSibling;
        // A long reply has many blocks of code to copy; only those in sight cost time.
        const bool inSight = hotspot.rect.top() < bottom && hotspot.rect.bottom() > top;
        if (!inSight || (m_layout.isOwn() && !m_marks.active && !sibling))
            continue;
        paintHotspot(hotspot, static_cast<int>(i));
        if (hotspot.action == Action::NextSibling) {
            m_painter.setPen(theme::colors().secondary);
            const QString count = QStringLiteral("%1 of %2").arg(m_view.sibling + 1).arg(m_view.siblings);
            m_painter.drawText(QRectF(previous.topRight(), hotspot.rect.bottomLeft()),
                               Qt::AlignCenter | Qt::TextDontClip, count);
        }
        previous = hotspot.rect;
    }
}

void MessagePainter::paintHotspot(const Hotspot &hotspot, int index)
{
    const Colors &colors = theme::colors();
    const bool hovered = index == m_marks.hoveredHotspot && hotspot.enabled;
    if (hotspot.action != Action::ToggleReasoning && hotspot.action != Action::ShowSibling) {
        m_painter.setFont(theme::smallFont());
        QColor color = hovered ? colors.accent : colors.secondary;
        color.setAlphaF(hotspot.enabled ? 1.0F : 0.4F);
        m_painter.setPen(color);
        m_painter.drawText(hotspot.rect, Qt::AlignCenter | Qt::TextDontClip, hotspot.label);
    }
    if (index == m_marks.focusedHotspot) {
        const qreal inset = hotspot.action == Action::ShowSibling ? 0 : 4;
        const QRectF ring = hotspot.rect.adjusted(0, inset, 0, -inset);
        m_painter.setPen(QPen(colors.accent, 1));
        m_painter.setBrush(Qt::NoBrush);
        m_painter.drawRoundedRect(QRectF(ring.toAlignedRect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    }
}

} // namespace bathyscope::ui
