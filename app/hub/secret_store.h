// SPDX-License-Identifier: GPL-3.0-or-later
//
// The user's access tokens, in the system's secret store where the program was built with qtkeychain
// (secret_store_keychain.cpp), else in memory (secret_store_none.cpp).
#pragma once

#include <QHash>
#include <QObject>
#include <QString>

#include <functional>

namespace bathyscope::app {

class SecretStore : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    /// `take` gets the secret of that name, or an empty text; at once or later.
    void read(const QString &name, const std::function<void(const QString &secret)> &take);
    /// An empty secret is removed. `told` gets why it was not stored for good, or an empty text; meanwhile it
    /// is known until the program ends.
    void write(const QString &name, const QString &secret,
               const std::function<void(const QString &why)> &told);

private:
    QHash<QString, QString> m_known; ///< in this run
};

} // namespace bathyscope::app
