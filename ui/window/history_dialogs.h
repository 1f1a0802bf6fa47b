// SPDX-License-Identifier: GPL-3.0-or-later
//
// The dialogs about the history as a whole. They know no history: they choose, others act.
#pragma once

#include <QDialog>
#include <QString>

#include <cstdint>
#include <optional>
#include <vector>

class QTreeWidget;

namespace bathyscope::ui {

enum class ExportFormat : std::uint8_t { JsonLinesWithTraces, JsonLines, Markdown };

struct ExportChoice {
    QString file;
    ExportFormat format = ExportFormat::JsonLinesWithTraces;
};

/// Asks for a file; `title` gives its name. None: the user changed their mind.
std::optional<ExportChoice> pickExportFile(QWidget *parent, const QString &title);

/// A file of conversations; empty: the user changed their mind.
QString pickImportFile(QWidget *parent);

/// A name that any file system takes, made of a title.
QString fileNameFrom(const QString &title);

/// A copy of the history that can be restored.
struct BackupEntry {
    QString file;
    QString name; ///< for people
    qint64 bytes = 0;
};

/// Lists the copies, newest first, and says what restoring one does.
class RestoreDialog : public QDialog {
    Q_OBJECT

public:
    explicit RestoreDialog(const std::vector<BackupEntry> &backups, QWidget *parent = nullptr);

    [[nodiscard]] QString chosenFile() const; ///< empty: none

private:
    QTreeWidget *m_list;
};

} // namespace bathyscope::ui
