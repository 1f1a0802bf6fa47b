// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which models there are on this machine, and what each would be here: looked for on a thread of its own.
#pragma once

#include "engine/library/model_description.h"
#include "engine/library/model_finder.h"
#include "ui/library/library_entry.h"

#include <QObject>
#include <QString>
#include <QStringList>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace bathyscope::app {

/// A folder that is searched, and the layout that its models have there.
struct ModelPlace {
    QString name; ///< for people
    QString folder;
    std::vector<FoundModel> (*find)(const std::filesystem::path &folder) = findModels;
};

/// Where this and other programs keep their models: `own`, the hub cache, LM Studio's and Ollama's folders,
/// each where its variable of the environment says, else where it is by default below `home`.
std::vector<ModelPlace> standardPlaces(const QString &own, const QString &home);

class ModelLibrary : public QObject {
    Q_OBJECT

public:
    /// Bytes a second that a device reads from its memory, by its id; 0: not known.
    using MeasureBandwidth = std::function<double(const std::string &device)>;

    /// Both are called on the thread, the second once for each device.
    ModelLibrary(std::function<DeviceList()> listDevices, MeasureBandwidth measureBandwidth);
    ~ModelLibrary() override; ///< waits for the model that is being looked at

    /// What is to be searched, and how a model would be loaded in the place of the one that is open.
    struct Question {
        std::vector<ModelPlace> places;
        LocalBackendOptions loading;
        MemoryPlan loaded;
    };

    /// found() follows, then described() for each model, then finished(). A search that still runs is ended.
    void search(Question question);
    [[nodiscard]] bool isSearching() const { return m_searching; }

signals:
    void found(const std::vector<bathyscope::ui::LibraryEntry> &entries);
    void described(const bathyscope::ui::LibraryEntry &entry);
    void finished();

private:
    /// Tells a file that was written anew from the one that was described.
    struct Described {
        std::int64_t changed = 0;
        std::uintmax_t size = 0;
        ModelDescription description;
    };

    void begin();
    void run(const Question &question, const std::stop_token &stop);
    void tell(const std::stop_token &stop, std::function<void()> what);
    const ModelDescription &describe(const std::filesystem::path &path);
    void judge(ui::LibraryEntry &entry, const ModelDescription &description, const MemoryPlan &plan);
    double bandwidthOf(const std::string &device);

    std::function<DeviceList()> m_listDevices;
    MeasureBandwidth m_measureBandwidth;
    std::optional<Question> m_next; ///< waits for the search that ends
    bool m_searching = false;

    // Used on the thread only.
    std::map<std::filesystem::path, Described> m_described;
    std::map<std::string, double> m_bandwidths; ///< by device

    std::jthread m_thread;
};

} // namespace bathyscope::app
