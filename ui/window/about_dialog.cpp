// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/about_dialog.h"

#include "ui/theme/theme.h"

#include <QCoreApplication>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QTextBrowser>
#include <QVBoxLayout>

namespace bathyscope::ui {

namespace {

const QUrl firstPage(QStringLiteral("qrc:/bathyscope/licences/third-party.html"));

/// The page with all parts, below it what the package carries, and the texts of the licences as they stand.
class LicenceBrowser : public QTextBrowser {
public:
    LicenceBrowser(const QString &carried, QWidget *parent)
        : QTextBrowser(parent)
        , m_carried(carried)
    {
        setAccessibleName(tr("Licences"));
        setSource(firstPage);
    }

protected:
    QVariant loadResource(int type, const QUrl &name) override
    {
        const QString content = QString::fromUtf8(QTextBrowser::loadResource(type, name).toByteArray());
        if (name == firstPage)
            return content + carriedLibraries();
        return QStringLiteral(
                   "<pre style=\"font-family: '%1'; font-size: %2px; white-space: pre-wrap\">%3</pre>")
            .arg(theme::monoFont().family())
            .arg(theme::monoFont().pixelSize())
            .arg(content.toHtmlEscaped());
    }

private:
    QString carriedLibraries() const
    {
        const auto files = QDir(m_carried).entryInfoList({QStringLiteral("*.txt")}, QDir::Files, QDir::Name);
        if (files.isEmpty())
            return {};
        QStringList links;
        for (const QFileInfo &file : files)
            links += QStringLiteral("<a href=\"%1\">%2</a>")
                         .arg(QString::fromLatin1(QUrl::fromLocalFile(file.absoluteFilePath()).toEncoded()),
                              file.completeBaseName().toHtmlEscaped());
        return QStringLiteral("<p>%1</p><p>%2</p>")
            .arg(tr("This package carries further libraries. What their authors ask for:"),
                 links.join(QStringLiteral(", ")));
    }

    QString m_carried;
};

} // namespace

AboutDialog::AboutDialog(const QString &carried, QWidget *parent)
    : QDialog(parent)
    , m_licences(new LicenceBrowser(carried, this))
{
    setWindowTitle(tr("About Bathyscope"));
    auto *mark = new QLabel(this);
    mark->setPixmap(theme::applicationIcon().pixmap(QSize(48, 48), devicePixelRatioF()));
    auto *name = new QLabel(QStringLiteral("Bathyscope ") + QCoreApplication::applicationVersion(), this);
    name->setProperty("role", "heading");
    name->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto *purpose =
        new QLabel(tr("Chat with a local reasoning model and look inside it while it works."), this);
    purpose->setProperty("role", "secondary");

    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    QPushButton *back = buttons->addButton(tr("Back"), QDialogButtonBox::ActionRole);
    back->setAutoDefault(false);
    back->setEnabled(false);
    connect(m_licences, &QTextBrowser::backwardAvailable, back, &QPushButton::setEnabled);
    connect(back, &QPushButton::clicked, m_licences, &QTextBrowser::backward);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);

    auto *title = new QVBoxLayout;
    title->setSpacing(0);
    title->addWidget(name);
    title->addWidget(purpose);
    auto *head = new QHBoxLayout;
    head->setSpacing(16);
    head->addWidget(mark);
    head->addLayout(title, 1);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 24, 24, 16);
    layout->setSpacing(16);
    layout->addLayout(head);
    layout->addWidget(m_licences, 1);
    layout->addWidget(buttons);
    resize(720, 600);
}

QString AboutDialog::carriedLicences()
{
    return QCoreApplication::applicationDirPath()
        + QStringLiteral("/../share/doc/bathyscope/licences/libraries");
}

} // namespace bathyscope::ui
