// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/export/svg_writer.h"

#include <QCoreApplication>

namespace bathyscope::ui {

bool canWriteSvg()
{
    return false;
}

QString writeSvg(QWidget &, const QString &)
{
    return QCoreApplication::translate("bathyscope::ui",
                                       "This build of the program cannot write SVG; take PNG.");
}

} // namespace bathyscope::ui
