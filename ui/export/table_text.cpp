// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/export/table_text.h"

#include <QAbstractItemModel>
#include <QStringList>

#include <functional>

namespace bathyscope::ui {

namespace {

using Quote = std::function<QString(QString)>;

QString joinFields(const QStringList &fields, const QString &separator, const Quote &quote)
{
    QStringList quoted;
    for (const QString &field : fields)
        quoted << quote(field);
    return quoted.join(separator);
}

QStringList headings(const QAbstractItemModel &model)
{
    QStringList fields;
    for (int column = 0; column < model.columnCount(); ++column)
        fields << model.headerData(column, Qt::Horizontal).toString();
    return fields;
}

QStringList rowOf(const QAbstractItemModel &model, int row)
{
    QStringList fields;
    for (int column = 0; column < model.columnCount(); ++column)
        fields << model.index(row, column).data().toString();
    return fields;
}

QString csvField(QString field)
{
    if (!field.contains(QLatin1Char(',')) && !field.contains(QLatin1Char('"'))
        && !field.contains(QLatin1Char('\n')) && !field.contains(QLatin1Char('\r')))
        return field;
    field.replace(QLatin1Char('"'), QStringLiteral("\"\""));
    return QLatin1Char('"') + field + QLatin1Char('"');
}

QString tsvField(QString field)
{
    for (const char character : {'\t', '\n', '\r'})
        field.replace(QLatin1Char(character), QLatin1Char(' '));
    return field;
}

/// What Markdown would take for markup is escaped.
QString markdownField(const QString &field)
{
    QString result;
    for (const QChar character : field) {
        if (QStringLiteral("\\|*_`<[]").contains(character))
            result += QLatin1Char('\\');
        result += character == QLatin1Char('\n') ? QLatin1Char(' ') : character;
    }
    return result;
}

} // namespace

QString toCsv(const QAbstractItemModel &model)
{
    const QString comma = QStringLiteral(",");
    QString text = joinFields(headings(model), comma, csvField) + QLatin1Char('\n');
    for (int row = 0; row < model.rowCount(); ++row)
        text += joinFields(rowOf(model, row), comma, csvField) + QLatin1Char('\n');
    return text;
}

QString toTsv(const QAbstractItemModel &model)
{
    const QString tab = QStringLiteral("\t");
    QString text = joinFields(headings(model), tab, tsvField) + QLatin1Char('\n');
    for (int row = 0; row < model.rowCount(); ++row)
        text += joinFields(rowOf(model, row), tab, tsvField) + QLatin1Char('\n');
    return text;
}

QString toMarkdown(const QAbstractItemModel &model)
{
    const QString bar = QStringLiteral(" | ");
    const auto line = [&](const QString &fields) { return QStringLiteral("| %1 |\n").arg(fields); };
    QString text = line(joinFields(headings(model), bar, markdownField));
    QStringList rules;
    for (int column = 0; column < model.columnCount(); ++column) {
        const int alignment = model.headerData(column, Qt::Horizontal, Qt::TextAlignmentRole).toInt();
        rules << ((alignment & Qt::AlignRight) != 0 ? QStringLiteral("---:") : QStringLiteral("---"));
    }
    text += line(rules.join(bar));
    for (int row = 0; row < model.rowCount(); ++row)
        text += line(joinFields(rowOf(model, row), bar, markdownField));
    return text;
}

} // namespace bathyscope::ui
