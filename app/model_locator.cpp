// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/model_locator.h"

#include "app/tools/builtin_model.h"
#include "engine/error.h"

#include <QCoreApplication>
#include <QFileInfo>

namespace bathyscope::app {

QString builtinModelDirectory()
{
    const auto directory =
        builtinModelDirectory(fromUtf8(QCoreApplication::applicationDirPath().toStdString()));
    return QString::fromStdString(toUtf8(directory));
}

bool isBuiltinModel(const QString &directory)
{
    return !directory.isEmpty()
        && QFileInfo(directory).canonicalFilePath() == QFileInfo(builtinModelDirectory()).canonicalFilePath();
}

} // namespace bathyscope::app
