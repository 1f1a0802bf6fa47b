// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/library/model_library.h"

#include "engine/error.h"

#include <QDir>
#include <QSet>

#include <algorithm>

namespace bathyscope::app {

namespace {

namespace fs = std::filesystem;
using Fit = ui::LibraryEntry::Fit;

QString fromEnvironment(const char *variable, const QString &below = {})
{
    const QString value = qEnvironmentVariable(variable);
    return value.isEmpty() ? QString() : QDir::cleanPath(value + below);
}

/// The first that is not empty.
QString firstOf(std::initializer_list<QString> candidates)
{
    const auto *found = std::find_if(candidates.begin(), candidates.end(),
                                     [](const QString &text) { return !text.isEmpty(); });
    return found == candidates.end() ? QString() : *found;
}

/// Weights that the memory does not hold are read from the disk for every token: that runs, but not well.
bool isTooLarge(const MemoryPlan &plan)
{
    const DeviceShare &share = plan.shares.front();
    const std::int64_t available = share.device.memory.available;
    return !plan.fits() || (!plan.onGpu() && available > 0 && share.weights > available);
}

QString verdictOn(const MemoryPlan &plan)
{
    if (!plan.fits()) {
        QStringList advice;
        for (const MemoryAdvice &one : plan.advice)
            advice << QString::fromStdString(one.text);
        const QString refusal = QString::fromStdString(plan.refusal);
        return advice.isEmpty() ? refusal
                                : ModelLibrary::tr("%1 It would fit with %2.")
                                      .arg(refusal, advice.join(ModelLibrary::tr(" or ")));
    }
    const QString note = QString::fromStdString(plan.note);
    if (isTooLarge(plan))
        return ModelLibrary::tr("%1 A smaller quantisation would fit.").arg(note);
    const QString device = plan.shares.size() > 1
        ? ModelLibrary::tr("Runs here, split over %n GPUs.", nullptr, static_cast<int>(plan.shares.size()))
        : ModelLibrary::tr("Runs here on the %1.")
              .arg(QString::fromStdString(plan.shares.front().device.name));
    return note.isEmpty() ? device : device + QLatin1Char(' ') + note;
}

/// Of all that a token reads, as it lies on the devices.
double bytesOfOneToken(const ModelDescription &description, const MemoryPlan &plan)
{
    const double share = plan.quantised
        ? double(description.needs->weightBytes(true)) / double(description.needs->weightBytes(false))
        : 1.0;
    return double(description.activeBytes) * share;
}

ui::LibraryEntry entryOf(const FoundModel &model, const QString &place)
{
    ui::LibraryEntry entry;
    entry.path = QString::fromStdString(toUtf8(model.path));
    entry.title = QString::fromStdString(model.title);
    entry.place = place;
    return entry;
}

void addDescription(ui::LibraryEntry &entry, const ModelDescription &description)
{
    entry.architecture = QString::fromStdString(description.architecture);
    entry.dtype = QString::fromStdString(description.dtype);
    entry.parameters = description.parameters;
    entry.activeParameters = description.activeParameters;
    entry.bytes = description.fileBytes;
    entry.contextLength = description.contextLength;
    entry.convertible = description.convertible;
}

} // namespace

std::vector<ModelPlace> standardPlaces(const QString &own, const QString &home)
{
    const QString cache = firstOf({fromEnvironment("XDG_CACHE_HOME"), home + QStringLiteral("/.cache")});
    return {
        {ModelLibrary::tr("Bathyscope"), own},
        {ModelLibrary::tr("Hub cache"),
         firstOf({fromEnvironment("HF_HUB_CACHE"), fromEnvironment("HF_HOME", QStringLiteral("/hub")),
                  cache + QStringLiteral("/huggingface/hub")}),
         findHubModels},
        {ModelLibrary::tr("LM Studio"), home + QStringLiteral("/.lmstudio/models")},
        {ModelLibrary::tr("LM Studio"), cache + QStringLiteral("/lm-studio/models")},
        {ModelLibrary::tr("Ollama"),
         firstOf({fromEnvironment("OLLAMA_MODELS"), home + QStringLiteral("/.ollama/models")}),
         findOllamaModels},
        {ModelLibrary::tr("Ollama"), QStringLiteral("/usr/share/ollama/.ollama/models"), findOllamaModels},
    };
}

ModelLibrary::ModelLibrary(std::function<DeviceList()> listDevices, MeasureBandwidth measureBandwidth)
    : m_listDevices(std::move(listDevices))
    , m_measureBandwidth(std::move(measureBandwidth))
{
}

ModelLibrary::~ModelLibrary()
{
    m_thread.request_stop();
}

void ModelLibrary::search(Question question)
{
    m_next = std::move(question);
    if (m_searching)
        m_thread.request_stop(); // the next one begins when this one has ended
    else
        begin();
}

void ModelLibrary::begin()
{
    m_searching = true;
    // The thread before has ended: assigning joins it at once.
    m_thread =
        std::jthread([this, question = *std::exchange(m_next, std::nullopt)](const std::stop_token &stop) {
            run(question, stop);
            QMetaObject::invokeMethod(
                this,
                [this] {
                    m_searching = false;
                    if (m_next)
                        begin();
                    else
                        emit finished();
                },
                Qt::QueuedConnection);
        });
}

/// On the interface thread, unless the search was ended meanwhile.
void ModelLibrary::tell(const std::stop_token &stop, std::function<void()> what)
{
    QMetaObject::invokeMethod(
        this,
        [stop, what = std::move(what)] {
            if (!stop.stop_requested())
                what();
        },
        Qt::QueuedConnection);
}

void ModelLibrary::run(const Question &question, const std::stop_token &stop)
{
    std::vector<ui::LibraryEntry> entries;
    QSet<QString> seen; // a folder of the user's may lie in another one
    for (const ModelPlace &place : question.places) {
        if (stop.stop_requested())
            return;
        for (const FoundModel &model : place.find(fromUtf8(place.folder.toStdString()))) {
            ui::LibraryEntry entry = entryOf(model, place.name);
            if (!seen.contains(entry.path)) {
                seen.insert(entry.path);
                entries.push_back(std::move(entry));
            }
        }
    }
    tell(stop, [this, entries] { emit found(entries); });
    if (entries.empty())
        return;
    const DeviceList devices = withoutModel(m_listDevices(), question.loaded);
    for (ui::LibraryEntry &entry : entries) {
        if (stop.stop_requested())
            return;
        const ModelDescription &description = describe(fromUtf8(entry.path.toStdString()));
        addDescription(entry, description);
        try {
            if (description.needs)
                judge(entry, description, planMemory(*description.needs, devices, question.loading));
        } catch (const Error &error) {
            entry.verdict = QString::fromUtf8(error.what());
        }
        if (!description.needs) {
            entry.fit = Fit::CannotRun;
            entry.verdict = QString::fromStdString(description.refusal);
        }
        tell(stop, [this, entry] { emit described(entry); });
    }
}

void ModelLibrary::judge(ui::LibraryEntry &entry, const ModelDescription &description, const MemoryPlan &plan)
{
    entry.fit = isTooLarge(plan) ? Fit::TooLarge : plan.onGpu() ? Fit::Gpu : Fit::Ram;
    entry.verdict = verdictOn(plan);
    if (entry.fit == Fit::TooLarge || description.activeBytes == 0)
        return;
    // Several GPUs work one after the other: together they are as fast as one.
    entry.speed = bandwidthOf(plan.shares.front().device.id) / bytesOfOneToken(description, plan);
}

double ModelLibrary::bandwidthOf(const std::string &device)
{
    const auto known = m_bandwidths.find(device);
    return known != m_bandwidths.end()
        ? known->second
        : m_bandwidths.emplace(device, m_measureBandwidth(device)).first->second;
}

const ModelDescription &ModelLibrary::describe(const fs::path &path)
{
    std::error_code ignored;
    const fs::path named = fs::is_directory(path, ignored) ? path / "config.json" : path;
    // A file put in another's place, however old, changes its folder.
    const std::int64_t changed =
        std::max(fs::last_write_time(named, ignored), fs::last_write_time(path, ignored))
            .time_since_epoch()
            .count();
    const std::uintmax_t size = fs::file_size(named, ignored);
    Described &known = m_described[path];
    if (known.changed != changed || known.size != size)
        known = {changed, size, describeModel(path)};
    return known.description;
}

} // namespace bathyscope::app
