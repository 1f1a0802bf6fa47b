// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/memory_page.h"

#include "ui/inspector/cache_chart.h"
#include "ui/inspector/number_format.h"
#include "ui/inspector/plain_table.h"
#include "ui/window/format.h"

#include <QLabel>
#include <QVBoxLayout>

#include <algorithm>

namespace bathyscope::ui {

MemoryPage::MemoryPage(QWidget *parent)
    : InspectorPage(parent)
    , m_costs(new CacheModel(this))
    , m_held(addLine("heading"))
    , m_chart(new CacheChart(m_costs, this))
    , m_shape(addLine("secondary"))
    , m_table(new PlainTable(m_costs, tr("Costs of the cache"), 3, this))
    , m_limit(addLine("secondary"))
{
    m_table->setFocusPolicy(Qt::TabFocus);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    layout->addWidget(m_held);
    layout->addWidget(m_chart);
    layout->addWidget(m_shape);
    layout->addWidget(m_table);
    layout->addWidget(m_limit);
    layout->addStretch(1);
    updateLines();
}

QLabel *MemoryPage::addLine(const char *role)
{
    auto *label = new QLabel(this);
    label->setWordWrap(true);
    label->setTextFormat(Qt::PlainText);
    label->setProperty("role", QLatin1String(role));
    return label;
}

const QAbstractItemModel *MemoryPage::table() const
{
    return m_costs;
}

void MemoryPage::setLoaded(const ModelInfo &model)
{
    m_model = model;
    m_model.vocabulary.reset(); // not needed here
    m_costs->setModel(model);
    updateLines();
}

void MemoryPage::setTokens(int tokens)
{
    if (tokens == m_tokens)
        return;
    m_tokens = tokens;
    m_costs->setTokens(tokens);
    updateLines();
}

QString MemoryPage::shapeText() const
{
    const AttentionShape &shape = m_model.attention;
    const double bytes = bytesPerValue(m_model);
    const QString sizes = tr("%1 layers, %2 bytes a value").arg(m_model.layers).arg(bytes);
    if (shape.keyValueHeads > 0)
        return tr("Derived: %1 heads of keys and values for %2 of queries, %3 + %4 values each; %5.")
            .arg(shape.keyValueHeads)
            .arg(shape.heads)
            .arg(shape.keyDim)
            .arg(shape.valueDim)
            .arg(sizes);
    return tr("Derived: the latent is kv_lora_rank + qk_rope_head_dim = %1 + %2 values, for %3 heads whose "
              "keys and values would be %4 + %5 each; %6. The groups are a comparison: this model has none.")
        .arg(shape.latentDim)
        .arg(shape.ropeDim)
        .arg(shape.heads)
        .arg(shape.keyDim)
        .arg(shape.valueDim)
        .arg(sizes);
}

QString MemoryPage::limitText() const
{
    const QString context = tr("The model's context is %1 tokens.").arg(groupedText(m_model.contextLength));
    if (m_model.memory.total == 0)
        return tr("How much memory this device has is not known. %1").arg(context);
    const std::int64_t room = tokensThatFit(m_model, static_cast<double>(m_model.cacheBytesPerToken));
    const QString limit = room >= m_model.contextLength
        ? tr("So the model is the limit, not this device.")
        : tr("So this device is the limit: choose a context of at most %1 tokens.").arg(groupedText(room));
    return tr("Measured when the model was opened: %1 of %2 are left beside the weights, room for %3 tokens. "
              "%4 %5")
        .arg(formatBytes(m_model.memory.available), formatBytes(m_model.memory.total), shortCount(room),
             context, limit);
}

void MemoryPage::updateLines()
{
    const bool known = !m_costs->rows().empty();
    m_chart->setVisible(known);
    m_table->setVisible(known);
    m_shape->setVisible(known);
    m_limit->setVisible(known);
    if (!known) {
        m_held->setText(tr("Open a model on this machine to see what its cache costs."));
        return;
    }
    m_held->setText(tr("The cache holds %1 tokens, %2")
                        .arg(groupedText(m_tokens),
                             formatBytes(m_model.cacheBytesPerToken * static_cast<qint64>(m_tokens))));
    m_shape->setText(shapeText());
    m_limit->setText(limitText());
}

QString MemoryPage::heldLine() const
{
    return m_held->text();
}

QString MemoryPage::limitLine() const
{
    return m_limit->text();
}

} // namespace bathyscope::ui
