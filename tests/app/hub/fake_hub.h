// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QHash>
#include <QHostAddress>
#include <QList>
#include <QTcpServer>
#include <QTcpSocket>
#include <QUrl>

#include <functional>

namespace bathyscope::app {

/// One request as it came over the wire.
struct HttpRequest {
    QByteArray path; ///< with the query
    QHash<QByteArray, QByteArray> headers; ///< by lower-case name
};

/// An answer; `dropAfter` bytes of the body the connection is cut.
struct HttpAnswer {
    int status = 200;
    QByteArray body;
    QList<QByteArray> headers; ///< whole lines
    qsizetype dropAfter = -1; ///< -1: never
};

/// A server on loopback that answers as a test says, and remembers what it was asked.
class HttpServer : public QTcpServer {
public:
    using Answer = std::function<HttpAnswer(const HttpRequest &request)>;

    explicit HttpServer(Answer answer)
        : m_answer(std::move(answer))
    {
        listen(QHostAddress::LocalHost);
        connect(this, &QTcpServer::newConnection, this, [this] {
            while (QTcpSocket *socket = nextPendingConnection()) {
                connect(socket, &QTcpSocket::readyRead, this, [this, socket] { read(*socket); });
                connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
            }
        });
    }

    [[nodiscard]] QUrl url() const { return QStringLiteral("http://127.0.0.1:%1").arg(serverPort()); }

    QList<HttpRequest> requests;

private:
    void read(QTcpSocket &socket)
    {
        const QByteArray head = socket.peek(socket.bytesAvailable());
        const qsizetype end = head.indexOf("\r\n\r\n");
        if (end < 0)
            return;
        socket.readAll();
        HttpRequest request;
        const QList<QByteArray> lines = head.left(end).split('\n');
        request.path = lines.first().split(' ').value(1);
        for (const QByteArray &line : lines.mid(1))
            request.headers[line.left(line.indexOf(':')).toLower()] =
                line.mid(line.indexOf(':') + 1).trimmed();
        requests << request;
        write(socket, m_answer(request));
    }

    static void write(QTcpSocket &socket, const HttpAnswer &answer)
    {
        socket.write("HTTP/1.1 " + QByteArray::number(answer.status)
                     + " X\r\nConnection: close\r\nContent-Length: " + QByteArray::number(answer.body.size())
                     + "\r\n");
        for (const QByteArray &header : answer.headers)
            socket.write(header + "\r\n");
        socket.write("\r\n" + answer.body.left(answer.dropAfter < 0 ? answer.body.size() : answer.dropAfter));
        socket.disconnectFromHost(); // after all is written
    }

    Answer m_answer;
};

/// The part of a file that a request asks for, as a server that knows ranges gives it.
inline HttpAnswer rangeOf(const QByteArray &file, const HttpRequest &request)
{
    const QByteArray range = request.headers.value("range"); // "bytes=100-"
    if (range.isEmpty())
        return {.status = 200, .body = file, .headers = {}};
    const qint64 begin = range.mid(6, range.size() - 7).toLongLong();
    return {.status = 206,
            .body = file.mid(begin),
            .headers = {"Content-Range: bytes " + QByteArray::number(begin) + '-'
                        + QByteArray::number(file.size() - 1) + '/' + QByteArray::number(file.size())}};
}

} // namespace bathyscope::app
