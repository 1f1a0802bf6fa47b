// SPDX-License-Identifier: GPL-3.0-or-later
//
// The program as somebody uses it all day: started, asked, stopped, forked, searched, emptied, given another
// model, at random. BATHYSCOPE_SOAK_SECONDS of that, 15 unless it says otherwise; from a minute on what it
// holds in memory at rest may not grow by more than 2 % after a warm-up. A failure tells its seed for
// BATHYSCOPE_SOAK_SEED.
#include "app/program.h"
#include "ui/inspector/inspector.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace bathyscope::app {

namespace {

constexpr int patience = 120'000; // ms; other programs may hold the cores
constexpr int longestReply = 96; // tokens

#if defined(BATHYSCOPE_SANITIZED) || !defined(__GLIBC__)
constexpr bool memoryIsMeasured = false; // a sanitizer keeps what was freed
#else
constexpr bool memoryIsMeasured = true;
#endif

/// What the program has allocated and not freed, in MB. Not what the system counts for it: that swings by
/// more than what is looked for, with the gaps that the allocator keeps between what is in use.
double memoryInUse()
{
#if defined(__GLIBC__)
    const struct mallinfo2 info = ::mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd) / 1e6;
#else
    return 0;
#endif
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

int environmentNumber(const char *name, int otherwise)
{
    const char *value = std::getenv(name);
    return value != nullptr ? std::atoi(value) : otherwise;
}

/// Somebody at the window. Every action leaves the program in a state from which any other can follow.
class Person {
public:
    Person(const QString &profile, unsigned seed)
        : m_profile(profile)
        , m_random(seed)
    {
        SamplingParameters sampling;
        sampling.temperature = 0.8F;
        sampling.maxTokens = longestReply;
        Settings(profile).setSampling(sampling);
        start();
    }

    void act()
    {
        struct Action {
            const char *name;
            void (Person::*perform)();
        };
        static constexpr std::array actions{
            Action{"start", &Person::start},
            Action{"ask", &Person::ask},
            Action{"ask", &Person::ask},
            Action{"ask", &Person::ask},
            Action{"stop halfway", &Person::stopHalfway},
            Action{"edit a question", &Person::editQuestion},
            Action{"answer again", &Person::regenerate},
            Action{"show a sibling", &Person::showSibling},
            Action{"open a conversation", &Person::openAny},
            Action{"delete a conversation", &Person::removeAny},
            Action{"switch the model", &Person::switchModel},
            Action{"search and inspect", &Person::searchAndInspect},
        };
        const Action &action = actions[below(actions.size())];
        m_lastAction = action.name;
        (this->*action.perform)();
    }

    /// The same each time: a fresh program with the first model and no conversation.
    void comeToRest()
    {
        while (m_well && !conversations().empty())
            removeAny();
        m_tinyModel = false;
        start();
    }

    [[nodiscard]] bool isWell() const { return m_well; }
    [[nodiscard]] QString lastAction() const { return QLatin1String(m_lastAction); }

private:
    ChatController &controller() { return m_program->controller(); }
    std::size_t below(std::size_t limit) { return m_random() % limit; }

    template <typename Condition>
    void waitFor(Condition condition)
    {
        m_well = m_well && QTest::qWaitFor(condition, patience);
    }

    void waitForReply()
    {
        waitFor([this] { return !controller().isReplying(); });
    }

    void start()
    {
        m_program.reset();
        Options options;
        options.offscreen = true;
        options.model = m_tinyModel ? QStringLiteral(BATHYSCOPE_TEST_DATA "/deepseek-v3-tiny")
                                    : QStringLiteral(BATHYSCOPE_BUILTIN_MODEL);
        m_program = std::make_unique<Program>(options, m_profile, openHistory(m_profile));
        m_program->start();
        waitFor([this] { return controller().model() != nullptr; });
        settle();
    }

    /// Until the list is what the history holds.
    void settle()
    {
        bool settled = false;
        QObject::connect(
            &m_program->shelf(), &ConversationShelf::refreshed, &m_program->shelf(),
            [&settled] { settled = true; },
            static_cast<Qt::ConnectionType>(Qt::AutoConnection | Qt::SingleShotConnection));
        m_program->shelf().refresh();
        waitFor([&settled] { return settled; });
    }

    void ask()
    {
        if (below(3) == 0)
            controller().startNew({});
        controller().ask(QStringLiteral("What is %1 * %2?").arg(below(100)).arg(below(100)));
        waitForReply();
    }

    void stopHalfway()
    {
        controller().ask(QStringLiteral("Is %1 a prime number?").arg(below(1000)));
        QTest::qWait(static_cast<int>(below(40)));
        controller().stop();
        waitForReply();
    }

    /// A message of the open conversation, or none.
    ui::MessageId anyMessage(Role role)
    {
        const ui::ChatModel *messages = controller().messages();
        std::vector<ui::MessageId> all;
        for (int row = 0; row < messages->rowCount(); ++row) {
            if (messages->message(row).role == role)
                all.push_back(messages->message(row).id);
        }
        return all.empty() ? 0 : all[below(all.size())];
    }

    void editQuestion()
    {
        controller().edit(anyMessage(Role::User), QStringLiteral("And %1 + 1?").arg(below(100)));
        waitForReply();
    }

    void regenerate()
    {
        controller().regenerate(anyMessage(Role::Assistant));
        waitForReply();
    }

    void showSibling()
    {
        controller().showSibling(anyMessage(below(2) == 0 ? Role::User : Role::Assistant),
                                 below(2) == 0 ? -1 : 1);
        settle();
    }

    std::vector<ConversationId> conversations()
    {
        const ui::ConversationModel *list = m_program->shelf().model();
        std::vector<ConversationId> ids;
        for (int row = 0; row < list->rowCount(); ++row) {
            const ConversationId id = list->index(row).data(ui::ConversationModel::IdRole).toLongLong();
            if (id != 0)
                ids.push_back(id);
        }
        return ids;
    }

    void openAny()
    {
        const std::vector<ConversationId> all = conversations();
        if (all.empty())
            return;
        controller().open(all[below(all.size())]);
        settle();
    }

    void removeAny()
    {
        settle();
        const std::vector<ConversationId> all = conversations();
        if (all.empty())
            return;
        controller().remove(all[below(all.size())]);
        settle();
    }

    void switchModel()
    {
        m_tinyModel = !m_tinyModel;
        const std::string before = controller().model()->fingerprint;
        m_program->openModel(m_tinyModel ? QStringLiteral(BATHYSCOPE_TEST_DATA "/deepseek-v3-tiny")
                                         : QStringLiteral(BATHYSCOPE_BUILTIN_MODEL));
        waitFor([&] { return controller().model()->fingerprint != before; });
    }

    void searchAndInspect()
    {
        m_program->shelf().search(QStringLiteral("prime"), true);
        QTest::qWait(20);
        m_program->shelf().search({}, false);
        settle();
        if (const ui::MessageId reply = anyMessage(Role::Assistant); reply != 0) {
            const auto count = controller().messages()->find(reply)->tokens.size();
            if (count > 0)
                controller().selection()->setToken(ui::TokenPosition{reply, static_cast<int>(below(count))});
        }
        QTest::qWait(20);
    }

    QString m_profile;
    std::mt19937 m_random;
    std::unique_ptr<Program> m_program;
    bool m_tinyModel = false;
    const char *m_lastAction = "";
    bool m_well = true;
};

} // namespace

class SoakTest : public QObject {
    Q_OBJECT

private slots:
    void aDayAtTheWindowDoesNotMakeItGrow()
    {
        constexpr int actionsBetweenSamples = 40;
        constexpr int leastSecondsForMemory = 60;
        constexpr double mostGrowth = 1.02;
        const qint64 milliseconds = 1000LL * environmentNumber("BATHYSCOPE_SOAK_SECONDS", 15);
        const auto seed = static_cast<unsigned>(
            environmentNumber("BATHYSCOPE_SOAK_SEED", static_cast<int>(std::random_device{}() >> 1U)));
        qInfo("seed %u", seed);
        const QTemporaryDir folder;
        Person person(folder.path(), seed);
        std::vector<double> samples;
        QElapsedTimer timer;
        timer.start();
        int actions = 0;
        while (timer.elapsed() < milliseconds) {
            person.act();
            QVERIFY2(person.isWell(),
                     qPrintable(QStringLiteral("action %1, %2").arg(actions).arg(person.lastAction())));
            // The first two fifths are warm-up.
            if (++actions % actionsBetweenSamples == 0) {
                person.comeToRest();
                if (timer.elapsed() > milliseconds * 2 / 5)
                    samples.push_back(memoryInUse());
            }
        }
        qInfo("%d actions, %d samples", actions, static_cast<int>(samples.size()));
        if (!memoryIsMeasured || milliseconds < 1000LL * leastSecondsForMemory)
            return;
        QVERIFY(samples.size() >= 4);
        const auto third = static_cast<std::ptrdiff_t>((samples.size() + 2) / 3);
        const double before = median({samples.begin(), samples.begin() + third});
        const double after = median({samples.end() - third, samples.end()});
        qInfo("%.2f MB, then %.2f MB: %+.2f %%", before, after, (after / before - 1) * 100);
        QVERIFY2(after <= before * mostGrowth, "the program grows");
    }
};

} // namespace bathyscope::app

QTEST_MAIN(bathyscope::app::SoakTest)
#include "soak_test.moc"
