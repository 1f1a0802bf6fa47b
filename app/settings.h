// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/records.h"
#include "ui/window/preferences.h"

#include <QByteArray>
#include <QSettings>
#include <QString>
#include <QStringList>

#include <cstdint>
#include <optional>

namespace bathyscope::app {

/// What the program remembers, in `settings.ini` of the profile folder. A value that cannot be read is as if
/// it had never been written.
class Settings {
public:
    explicit Settings(const QString &profileFolder);

    [[nodiscard]] ui::Preferences preferences() const;
    void setPreferences(const ui::Preferences &preferences);

    /// Where models are loaded, and how.
    [[nodiscard]] LocalBackendOptions loading() const;
    void setLoading(const LocalBackendOptions &loading);

    /// None: the model's own defaults.
    [[nodiscard]] std::optional<SamplingParameters> sampling() const;
    void setSampling(const std::optional<SamplingParameters> &sampling);

    [[nodiscard]] QString systemPrompt() const; ///< of a new conversation
    void setSystemPrompt(const QString &text);

    [[nodiscard]] QString lastModel() const; ///< its directory; empty: the built-in one
    [[nodiscard]] QStringList recentModels() const; ///< directories, the last one first, without the built-in
    void setLastModel(const QString &directory, bool builtin);
    /// What a model was called when it was chosen; empty: its path tells.
    [[nodiscard]] QString modelTitle(const QString &path) const;
    void setModelTitle(const QString &path, const QString &title);

    [[nodiscard]] QStringList libraryFolders() const; ///< that the user added
    void setLibraryFolders(const QStringList &folders);

    [[nodiscard]] std::int64_t lastConversation() const; ///< 0: none
    void setLastConversation(std::int64_t id);

    [[nodiscard]] QByteArray windowLayout() const;
    void setWindowLayout(const QByteArray &layout);

private:
    [[nodiscard]] int integer(const QString &key, int least, int most, int otherwise) const;

    QSettings m_store;
};

} // namespace bathyscope::app
