// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/instance_server.h"

#include <QCryptographicHash>
#include <QFileInfo>
#include <QLocalSocket>

namespace bathyscope::app {

namespace {

constexpr int patience = 2000; // ms
constexpr char raiseCommand = 'r';
constexpr char done = 'd';

/// The same for every way to write the folder's path, short enough for the system.
QString serverName(const QString &historyFolder)
{
    const QFileInfo folder(historyFolder);
    const QString path = folder.exists() ? folder.canonicalFilePath() : folder.absoluteFilePath();
    const QByteArray hash = QCryptographicHash::hash(path.toUtf8(), QCryptographicHash::Sha256).toHex();
    return QStringLiteral("bathyscope-") + QString::fromLatin1(hash.left(24));
}

} // namespace

InstanceServer::InstanceServer(const QString &historyFolder, QObject *parent)
    : QObject(parent)
{
    const QString name = serverName(historyFolder);
    // What an instance that was killed left behind; a living one would hold the lock of the history.
    QLocalServer::removeServer(name);
    m_server.setSocketOptions(QLocalServer::UserAccessOption);
    connect(&m_server, &QLocalServer::newConnection, this, [this] {
        QLocalSocket *socket = m_server.nextPendingConnection();
        connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
        connect(socket, &QLocalSocket::readyRead, this, [this, socket] {
            if (socket->readAll().contains(raiseCommand)) {
                emit raiseRequested();
                socket->write(&done, 1);
            }
            socket->disconnectFromServer();
        });
    });
    m_server.listen(name);
}

bool raiseOtherInstance(const QString &historyFolder)
{
    QLocalSocket socket;
    socket.connectToServer(serverName(historyFolder));
    if (!socket.waitForConnected(patience))
        return false;
    socket.write(&raiseCommand, 1);
    return socket.waitForBytesWritten(patience) && socket.waitForReadyRead(patience)
        && socket.readAll().contains(done);
}

} // namespace bathyscope::app
