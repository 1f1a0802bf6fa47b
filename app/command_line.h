// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/theme/theme.h"

#include <QSize>
#include <QString>
#include <QStringList>

#include <cstdint>
#include <optional>

namespace bathyscope::app {

/// What the command line asks for. Values that are not given are as the settings have them.
struct Options {
    bool offscreen = false; ///< no display; with prompts: leave after the last answer
    QStringList prompts; ///< asked one after the other
    QString screenshot; ///< PNG file
    QString model; ///< directory
    QString profile; ///< folder of settings and history
    std::optional<ui::ColorScheme> scheme;
    QSize size; ///< of the window
    std::optional<int> threads;
    std::optional<int> contextLength; ///< tokens; 0: what the model allows
    QString device; ///< as LocalBackendOptions::device
    std::optional<std::uint64_t> seed;
    std::optional<float> temperature;
    std::optional<int> selectToken; ///< index of a token of the last answer
    int page = 0; ///< of the inspector, from 0
    bool quitAfterAnswer = false;
    bool readOnly = false; ///< the history
};

/// Either options, or what to print before leaving.
struct CommandLine {
    Options options;
    std::optional<int> exitCode;
    QString output; ///< help or version when exitCode is 0, else what is wrong
};

/// `arguments` begin with the program. Needs a QCoreApplication, no display.
CommandLine parseCommandLine(const QStringList &arguments);

} // namespace bathyscope::app
