// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/answer_strip.h"

#include "ui/inspector/answer_statistics.h"
#include "ui/inspector/number_format.h"
#include "ui/inspector/token_header.h"
#include "ui/theme/theme.h"

#include <QKeyEvent>
#include <QLocale>
#include <QPaintEngine>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr int labelWidth = 30; // left of the plot
constexpr int widestToken = 8; // px

} // namespace

AnswerStrip::AnswerStrip(Selection *selection, QWidget *parent)
    : QWidget(parent)
    , m_selection(selection)
{
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Surprisal and entropy of every token"));
    const auto changed = [this] {
        update();
        emit readoutChanged();
    };
    connect(m_selection, &Selection::changed, this, changed);
    connect(m_selection, &Selection::hoverChanged, this, changed);
    connect(m_selection, &Selection::pinnedChanged, this, qOverload<>(&QWidget::update));
}

void AnswerStrip::setMessage(const ChatMessage &message, std::size_t vocabulary)
{
    if (message.id != m_message || message.tokens.size() < m_tokens.size())
        clear();
    m_message = message.id;
    const std::size_t before = m_tokens.size();
    for (std::size_t i = before; i < message.tokens.size(); ++i) {
        const TokenRecord &record = message.tokens[i];
        Token token;
        token.surprisal = static_cast<float>(surprisalOf(record));
        token.section = record.section;
        token.known = !record.top.empty();
        if (token.known)
            token.entropy = static_cast<float>(entropyBounds(record, vocabulary).least);
        m_greatest = std::max({m_greatest, token.surprisal, token.entropy});
        m_tokens.push_back(token);
    }
    if (m_tokens.size() > before)
        redraw();
    emit readoutChanged();
}

void AnswerStrip::setEntropies(std::span<const float> bits)
{
    const std::size_t end = std::min(bits.size(), m_tokens.size());
    if (end == 0 || m_tokens[end - 1].measured)
        return; // nothing new: they are measured in their order
    for (std::size_t i = 0; i < end; ++i) {
        m_tokens[i].entropy = bits[i];
        m_tokens[i].known = true;
        m_tokens[i].measured = true;
        m_greatest = std::max(m_greatest, bits[i]);
    }
    redraw();
    emit readoutChanged();
}

void AnswerStrip::clear()
{
    m_message = 0;
    m_tokens.clear();
    m_greatest = 0;
    m_anchor.reset();
    redraw();
}

void AnswerStrip::redraw()
{
    m_picture = {};
    update();
}

void AnswerStrip::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    redraw();
}

void AnswerStrip::changeEvent(QEvent *event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::StyleChange)
        redraw();
}

QRect AnswerStrip::plot() const
{
    return rect().adjusted(labelWidth, 6, -1, -2);
}

int AnswerStrip::xOf(int token) const
{
    const QRect area = plot();
    const double step =
        std::min<double>(widestToken, static_cast<double>(area.width()) / std::max(count(), 1));
    return area.left() + static_cast<int>(std::floor(token * step));
}

/// 1, 2, 4, 8 … bits: a scale that does not change with every token.
double AnswerStrip::mostBits() const
{
    return std::exp2(std::max(1.0, std::ceil(std::log2(std::max(static_cast<double>(m_greatest), 1.0)))));
}

int AnswerStrip::yOf(double bits) const
{
    const QRect area = plot();
    return area.bottom() - static_cast<int>(std::lround(area.height() * bits / mostBits()));
}

QRect AnswerStrip::tokenRect(int token) const
{
    const int left = xOf(token);
    return {left, plot().top(), std::max(xOf(token + 1) - left, 1), plot().height()};
}

std::optional<int> AnswerStrip::tokenAt(int x) const
{
    std::optional<int> best;
    // Tokens of a column stand next to each other; the first one is found by its place.
    const QRect area = plot();
    const double step =
        std::min<double>(widestToken, static_cast<double>(area.width()) / std::max(count(), 1));
    int token = static_cast<int>((x - area.left()) / step) - 1;
    for (token = std::max(token, 0); token < count() && xOf(token) <= x; ++token) {
        if (!tokenRect(token).contains(x, area.top()))
            continue;
        const auto index = static_cast<std::size_t>(token);
        if (!best || m_tokens[index].surprisal > m_tokens[static_cast<std::size_t>(*best)].surprisal)
            best = token;
    }
    return best;
}

QString AnswerStrip::readout() const
{
    const auto &hovered = m_selection->hoveredToken();
    const auto &at = hovered && hovered->message == m_message ? hovered : m_selection->token();
    if (!at || at->message != m_message || at->token < 0 || at->token >= count())
        return tr("Click a token, or drag over several.");
    const Token &token = m_tokens[static_cast<std::size_t>(at->token)];
    const QString place = tr("Token %1 · surprisal %2 bit")
                              .arg(QLocale(QLocale::English).toString(at->token + 1),
                                   fixedText(static_cast<double>(token.surprisal), 2));
    if (!token.known)
        return place;
    const QString bits = fixedText(static_cast<double>(token.entropy), 2);
    return token.measured ? tr("%1 · entropy %2 bit, measured").arg(place, bits)
                          : tr("%1 · entropy ≥ %2 bit, derived").arg(place, bits);
}

void AnswerStrip::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    paintSections(painter);
    paintAxis(painter);
    paintMarks(painter);
    const QPaintEngine &engine = *painter.paintEngine();
    if (engine.type() == QPaintEngine::Raster) {
        keepPicture(engine.paintDevice()->devicePixelRatioF());
        painter.drawPixmap(0, 0, m_picture);
    } else {
        paintTokens(painter); // lines stay lines
    }
    if (const auto &at = m_selection->token(); at && at->message == m_message && at->token < count())
        paintBar(painter, at->token, theme::colors().selectionOutline);
    if (hasFocus()) {
        painter.setPen(theme::colors().accent);
        painter.drawRect(rect().adjusted(0, 0, -1, -1));
    }
}

void AnswerStrip::keepPicture(qreal ratio)
{
    if (!m_picture.isNull() && m_picture.devicePixelRatio() == ratio)
        return;
    m_picture = QPixmap(size() * ratio);
    m_picture.setDevicePixelRatio(ratio);
    m_picture.fill(Qt::transparent);
    QPainter painter(&m_picture);
    paintTokens(painter);
}

void AnswerStrip::paintTokens(QPainter &painter) const
{
    for (int token = 0; token < count(); ++token)
        paintBar(painter, token, theme::colors().accent);
    paintEntropy(painter);
}

/// The ground of the reasoning is the one that it has in the chat; a line parts it from the answer.
void AnswerStrip::paintSections(QPainter &painter) const
{
    int end = 0;
    for (int token = 0; token < count(); ++token)
        if (m_tokens[static_cast<std::size_t>(token)].section == Section::Reasoning)
            end = token + 1;
    if (end == 0)
        return;
    const QRect area = plot();
    painter.fillRect(QRect(area.left(), area.top(), xOf(end) - area.left(), area.height()),
                     theme::colors().reasoning);
    painter.fillRect(QRect(xOf(end), area.top(), 1, area.height()), theme::colors().accent);
}

void AnswerStrip::paintAxis(QPainter &painter) const
{
    QFont font = theme::numberFont();
    font.setPixelSize(11);
    painter.setFont(font);
    for (const double share : {0.0, 0.5, 1.0}) {
        const double bits = share * mostBits();
        const int y = yOf(bits);
        painter.fillRect(QRect(plot().left(), y, plot().width(), 1), theme::colors().line);
        painter.setPen(theme::colors().secondary);
        const int top = std::clamp(y - 8, 0, height() - 16);
        painter.drawText(QRect(0, top, labelWidth - 6, 16), Qt::AlignRight | Qt::AlignVCenter,
                         QString::number(bits));
    }
}

void AnswerStrip::paintMarks(QPainter &painter) const
{
    const auto range = m_selection->range();
    if (range && range->message == m_message) {
        const int left = xOf(std::max(range->first, 0));
        const int right = std::max(xOf(std::min(range->last + 1, count())), left + 2);
        painter.fillRect(QRect(left, plot().top(), right - left, plot().height()), theme::colors().selection);
    }
    const auto &hovered = m_selection->hoveredToken();
    if (hovered && hovered->message == m_message && hovered->token < count()) {
        painter.setPen(theme::colors().secondary);
        painter.drawRect(tokenRect(hovered->token).adjusted(0, 0, -1, -1));
    }
    if (const PinnedToken &pinned = m_selection->pinned();
        pinned && pinned.at.message == m_message && pinned.at.token < count()) {
        painter.setPen(QPen(theme::colors().secondary, 1, Qt::DotLine)); // as its curve in the chart of ranks
        painter.drawRect(tokenRect(pinned.at.token).adjusted(0, 0, -1, -1));
    }
}

void AnswerStrip::paintBar(QPainter &painter, int token, const QColor &color) const
{
    const QRect place = tokenRect(token);
    const int gap = place.width() > 3 ? 1 : 0;
    const int y = yOf(static_cast<double>(m_tokens[static_cast<std::size_t>(token)].surprisal));
    painter.fillRect(QRect(place.left(), y, place.width() - gap, plot().bottom() - y + 1), color);
}

void AnswerStrip::paintEntropy(QPainter &painter) const
{
    QPolygonF line;
    for (int token = 0; token < count(); ++token) {
        const Token &value = m_tokens[static_cast<std::size_t>(token)];
        if (value.known)
            line << QPointF(tokenRect(token).center().x() + 0.5,
                            yOf(static_cast<double>(value.entropy)) + 0.5);
    }
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(theme::colors().text, 1.2));
    painter.drawPolyline(line);
    painter.setRenderHint(QPainter::Antialiasing, false);
}

void AnswerStrip::mousePressEvent(QMouseEvent *event)
{
    const auto token = tokenAt(event->pos().x());
    if (event->button() != Qt::LeftButton || !token)
        return;
    if ((event->modifiers() & Qt::ShiftModifier) != 0 && m_selection->token()
        && m_selection->token()->message == m_message) {
        m_selection->extendTo(*token);
        return;
    }
    m_anchor = token;
    m_selection->setToken(TokenPosition{m_message, *token});
}

void AnswerStrip::mouseMoveEvent(QMouseEvent *event)
{
    const auto token = tokenAt(event->pos().x());
    if (!m_anchor) {
        m_selection->setHoveredToken(token ? std::optional(TokenPosition{m_message, *token}) : std::nullopt);
        return;
    }
    if (token)
        m_selection->brushTo(*token);
}

void AnswerStrip::mouseReleaseEvent(QMouseEvent *)
{
    m_anchor.reset();
}

void AnswerStrip::keyPressEvent(QKeyEvent *event)
{
    const int step = event->key() == Qt::Key_Left ? -1 : event->key() == Qt::Key_Right ? 1 : 0;
    const auto &at = m_selection->token();
    if (step == 0 || event->modifiers() != Qt::ShiftModifier || !at || at->message != m_message) {
        QWidget::keyPressEvent(event);
        return;
    }
    m_selection->extendTo(std::clamp(at->token + step, 0, count() - 1));
}

bool AnswerStrip::event(QEvent *event)
{
    if (event->type() == QEvent::Leave)
        m_selection->setHoveredToken({});
    return QWidget::event(event);
}

} // namespace bathyscope::ui
