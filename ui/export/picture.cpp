// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/export/picture.h"

#include "ui/export/svg_writer.h"

#include <QCoreApplication>
#include <QImage>
#include <QImageWriter>
#include <QPainter>
#include <QWidget>

namespace bathyscope::ui {

QString writePicture(QWidget &view, const QString &file)
{
    if (file.endsWith(QLatin1String(".svg"), Qt::CaseInsensitive))
        return writeSvg(view, file);
    constexpr int scale = 2;
    QImage image(view.size() * scale, QImage::Format_RGB32);
    image.setDevicePixelRatio(scale);
    image.fill(view.palette().color(QPalette::Base));
    QPainter painter(&image);
    view.render(&painter, {}, {}, QWidget::DrawChildren);
    painter.end();
    QImageWriter writer(file, "png");
    return writer.write(image) ? QString() : writer.errorString();
}

QString pictureFilter()
{
    const QString png = QCoreApplication::translate("bathyscope::ui", "PNG pictures (*.png)");
    return canWriteSvg()
        ? png + QStringLiteral(";;") + QCoreApplication::translate("bathyscope::ui", "SVG pictures (*.svg)")
        : png;
}

} // namespace bathyscope::ui
