// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/hub/hub_repository.h"

#include "engine/error.h"
#include "engine/library/model_finder.h"
#include "engine/limits.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>

#include <algorithm>
#include <map>

namespace bathyscope::app {

namespace {

bool isHex(const QString &text, int digits)
{
    static const QRegularExpression hex(QStringLiteral("^[0-9a-f]*$"));
    return text.size() == digits && hex.match(text).hasMatch();
}

RemoteFile readFile(const QJsonObject &object)
{
    RemoteFile file;
    file.name = object.value(QLatin1String("rfilename")).toString();
    const QJsonObject lfs = object.value(QLatin1String("lfs")).toObject();
    const QString sha256 = lfs.value(QLatin1String("sha256")).toString();
    const QString git = object.value(QLatin1String("blobId")).toString();
    file.size = object.value(QLatin1String("size")).toInteger(-1);
    file.digest = isHex(sha256, 64) ? sha256 : lfs.isEmpty() && isHex(git, 40) ? git : QString();
    return file;
}

/// What goes with safetensors: configuration, tokenizer, template, licence.
bool isCompanion(const QString &name)
{
    static const QRegularExpression companion(QStringLiteral(
        "^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|"
        "vocab|model\\.safetensors\\.index)\\.json$|^merges\\.txt$|\\.jinja$|^(LICEN[SC]E|README)"));
    return companion.match(name).hasMatch();
}

/// The safetensors at the top of the repository; those below it repeat them in another form.
ui::HubChoice safetensorsOf(const HubRepository &repository)
{
    ui::HubChoice choice;
    choice.title = QStringLiteral("safetensors");
    bool weights = false;
    bool config = false;
    for (const RemoteFile &file : repository.files) {
        const bool model =
            file.name.endsWith(QLatin1String(".safetensors")) && file.name.startsWith(QLatin1String("model"));
        if (file.name.contains(QLatin1Char('/')) || (!model && !isCompanion(file.name)))
            continue;
        weights = weights || model;
        config = config || file.name == QLatin1String("config.json");
        choice.files << file.name;
        choice.bytes += std::max<qint64>(file.size, 0);
    }
    return weights && config ? choice : ui::HubChoice();
}

} // namespace

bool isSafeName(const QString &name)
{
    static const QRegularExpression part(QStringLiteral("^[A-Za-z0-9_][\\w .()+,=@-]*$"));
    const QStringList parts = name.split(QLatin1Char('/'));
    return name.size() <= 400 && std::all_of(parts.begin(), parts.end(), [](const QString &text) {
               return part.match(text).hasMatch() && !text.endsWith(QLatin1Char('.'))
                   && !text.endsWith(QLatin1Char(' '));
           });
}

HubRepository parseRepository(const QByteArray &json)
{
    const QJsonObject object = QJsonDocument::fromJson(json).object();
    HubRepository repository;
    repository.id = object.value(QLatin1String("id")).toString();
    repository.commit = object.value(QLatin1String("sha")).toString();
    const QJsonValue gated = object.value(QLatin1String("gated"));
    repository.gated = gated.isString() || gated.toBool();
    const QJsonArray files = object.value(QLatin1String("siblings")).toArray();
    if (!isHex(repository.commit, 40) || !isSafeName(repository.id)
        || repository.id.count(QLatin1Char('/')) != 1 || files.size() > limits::maxHubFiles)
        throw Error("The hub's answer is not the description of a model.");
    for (const QJsonValue &value : files) {
        RemoteFile file = readFile(value.toObject());
        if (isSafeName(file.name))
            repository.files.push_back(std::move(file));
    }
    return repository;
}

std::vector<ui::HubResult> parseSearch(const QByteArray &json)
{
    const QJsonDocument document = QJsonDocument::fromJson(json);
    if (!document.isArray())
        throw Error("The hub's answer is not a list of models.");
    std::vector<ui::HubResult> results;
    for (const QJsonValue &value : document.array()) {
        const QJsonObject object = value.toObject();
        const QString id = object.value(QLatin1String("id")).toString();
        const QJsonValue gated = object.value(QLatin1String("gated"));
        if (isSafeName(id) && id.count(QLatin1Char('/')) == 1)
            results.push_back({id, object.value(QLatin1String("downloads")).toInteger(),
                               gated.isString() || gated.toBool()});
    }
    return results;
}

std::vector<ui::HubChoice> choicesOf(const HubRepository &repository)
{
    std::map<QString, ui::HubChoice> quantisations;
    for (const RemoteFile &file : repository.files) {
        const std::string last = file.name.section(QLatin1Char('/'), -1).toStdString();
        if (!file.name.endsWith(QLatin1String(".gguf")) || last.starts_with("mmproj"))
            continue;
        // All parts of a split file have its title.
        const QString title = QString::fromStdString(modelTitle(fromUtf8(last)));
        ui::HubChoice &choice = quantisations[file.name.section(QLatin1Char('/'), 0, -2) + title];
        choice.title = title;
        choice.files << file.name;
        choice.bytes += std::max<qint64>(file.size, 0);
    }
    std::vector<ui::HubChoice> choices;
    for (auto &[key, choice] : quantisations)
        choices.push_back(std::move(choice));
    if (ui::HubChoice safetensors = safetensorsOf(repository); !safetensors.files.isEmpty())
        choices.push_back(std::move(safetensors));
    std::ranges::stable_sort(choices, {}, &ui::HubChoice::bytes);
    return choices;
}

} // namespace bathyscope::app
