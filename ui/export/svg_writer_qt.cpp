// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/export/svg_writer.h"

#include <QCoreApplication>
#include <QPainter>
#include <QSaveFile>
#include <QSvgGenerator>
#include <QWidget>

namespace bathyscope::ui {

bool canWriteSvg()
{
    return true;
}

QString writeSvg(QWidget &view, const QString &file)
{
    QSaveFile output(file);
    if (!output.open(QIODevice::WriteOnly))
        return output.errorString();
    QSvgGenerator generator;
    generator.setOutputDevice(&output);
    generator.setSize(view.size());
    generator.setViewBox(view.rect());
    generator.setTitle(QCoreApplication::applicationName());
    generator.setResolution(view.logicalDpiX());
    QPainter painter(&generator);
    painter.fillRect(view.rect(), view.palette().base());
    view.render(&painter, {}, {}, QWidget::DrawChildren);
    painter.end();
    return output.commit() ? QString() : output.errorString();
}

} // namespace bathyscope::ui
