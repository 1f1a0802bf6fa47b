// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/hub/secret_store.h"

#include <qt6keychain/keychain.h>

namespace bathyscope::app {

namespace {

/// The name that the store shows its entries under.
QString service()
{
    return QStringLiteral("bathyscope");
}

} // namespace

void SecretStore::read(const QString &name, const std::function<void(const QString &)> &take)
{
    if (m_known.contains(name)) {
        take(m_known.value(name));
        return;
    }
    auto *job = new QKeychain::ReadPasswordJob(service(), this); // deletes itself
    job->setKey(name);
    connect(job, &QKeychain::Job::finished, this, [this, job, name, take] {
        if (job->error() == QKeychain::NoError)
            m_known.insert(name, job->textData());
        take(m_known.value(name));
    });
    job->start();
}

void SecretStore::write(const QString &name, const QString &secret,
                        const std::function<void(const QString &)> &told)
{
    m_known.insert(name, secret);
    QKeychain::Job *job = nullptr;
    if (secret.isEmpty()) {
        job = new QKeychain::DeletePasswordJob(service(), this); // deletes itself, as the other one
    } else {
        auto *writing = new QKeychain::WritePasswordJob(service(), this);
        writing->setTextData(secret);
        job = writing;
    }
    job->setKey(name);
    connect(job, &QKeychain::Job::finished, this, [job, told] {
        const bool stored = job->error() == QKeychain::NoError || job->error() == QKeychain::EntryNotFound;
        told(stored ? QString()
                    : tr("The system's secret store does not take the token (%1): it is forgotten when the "
                         "program ends.")
                          .arg(job->errorString()));
    });
    job->start();
}

} // namespace bathyscope::app
