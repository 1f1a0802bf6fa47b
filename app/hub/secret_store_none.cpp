// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/hub/secret_store.h"

namespace bathyscope::app {

void SecretStore::read(const QString &name, const std::function<void(const QString &)> &take)
{
    take(m_known.value(name));
}

void SecretStore::write(const QString &name, const QString &secret,
                        const std::function<void(const QString &)> &told)
{
    m_known.insert(name, secret);
    told(tr("This program was built without access to the system's secret store (qtkeychain): the token is "
            "forgotten when it ends."));
}

} // namespace bathyscope::app
