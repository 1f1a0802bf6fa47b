// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/history_thread.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace bathyscope::storage {

namespace {
using namespace std::chrono_literals;

/// With the time of a commit well within the 250 ms that an end of the program may cost.
constexpr auto kTokenDelay = 100ms;
constexpr auto kRetryDelay = 1s;
constexpr auto kBackupCheck = 1h; ///< whether a new day has come
constexpr auto kClockCheck = 1s; ///< whether the clock is right again
constexpr Milliseconds kClockTolerance = 60'000; ///< clocks are corrected by moments all the time
} // namespace

HistoryThread::HistoryThread(std::unique_ptr<History> history, Events events)
    : HistoryThread(std::move(history), {}, {}, std::move(events))
{
}

HistoryThread::HistoryThread(std::unique_ptr<History> standIn, Open open, std::string refusal, Events events)
    : m_history(std::move(standIn))
    , m_open(std::move(open))
    , m_events(std::move(events))
    , m_refusal(std::move(refusal))
    , m_ids(m_history->newestId())
    , m_thread([this](const std::stop_token &stop) { run(stop); })
{
}

HistoryThread::~HistoryThread()
{
    m_thread.request_stop();
    m_thread.join();
}

void HistoryThread::write(Write operations, std::function<void()> done, std::function<void()> failed)
{
    post({.kind = Task::Kind::Write,
          .operations = std::move(operations),
          .done = std::move(done),
          .failed = std::move(failed)});
}

void HistoryThread::postRead(Write query)
{
    post({.kind = Task::Kind::Read, .operations = std::move(query)});
}

void HistoryThread::appendTokens(MessageId id, std::vector<TokenRecord> tokens)
{
    post({.kind = Task::Kind::Tokens, .operations = {}, .message = id, .tokens = std::move(tokens)});
}

void HistoryThread::flush()
{
    std::unique_lock lock(m_mutex);
    const std::uint64_t target = m_posted;
    m_due = Clock::now();
    m_wake.notify_one();
    m_performedMore.wait(lock, [&] { return m_performed >= target; });
}

void HistoryThread::post(Task task)
{
    const std::scoped_lock lock(m_mutex);
    const Clock::time_point due = Clock::now() + (task.kind == Task::Kind::Tokens ? kTokenDelay : 0ms);
    m_due = m_queue.empty() ? due : std::min(m_due, due);
    ++m_posted;
    const bool continues = task.kind == Task::Kind::Tokens && !m_queue.empty()
        && m_queue.back().kind == Task::Kind::Tokens && m_queue.back().message == task.message;
    if (continues)
        std::move(task.tokens.begin(), task.tokens.end(), std::back_inserter(m_queue.back().tokens));
    else
        m_queue.push_back(std::move(task));
    m_wake.notify_one();
}

void HistoryThread::run(const std::stop_token &stop)
{
    if (m_history->recovery())
        report(m_history->recovery()->text());
    if (m_open && m_events.refused)
        m_events.refused(m_refusal);
    while (true) {
        std::deque<Task> tasks = waitForTasks(stop);
        // Whatever was posted before the stop is in the last batch.
        const bool last = stop.stop_requested() && tasks.empty();
        if (last || Clock::now() >= m_retryAt)
            retryBacklog();
        if (last)
            break;
        perform(std::move(tasks));
        backUp();
        checkClock();
    }
    abandonBacklog();
    m_history.reset();
}

/// Returns all posted tasks once they are due; none when it is time to try the backlog again, or to stop.
std::deque<HistoryThread::Task> HistoryThread::waitForTasks(const std::stop_token &stop)
{
    std::unique_lock lock(m_mutex);
    while (!stop.stop_requested()) {
        const Clock::time_point now = Clock::now();
        if (!m_queue.empty() && now >= m_due)
            break;
        const bool waits = m_open || !m_backlog.empty();
        if (waits && now >= m_retryAt)
            return {};
        if (m_queue.empty() && !waits && (now >= m_backUpAt || now >= m_checkClockAt))
            return {};
        Clock::time_point wake = std::min(now + kBackupCheck, m_checkClockAt);
        if (!m_queue.empty())
            wake = m_due;
        if (waits)
            wake = std::min(wake, m_retryAt);
        m_wake.wait_until(lock, stop, wake, [&] { return !m_queue.empty() && m_due < wake; });
    }
    m_taken = m_posted;
    return std::exchange(m_queue, {});
}

void HistoryThread::perform(std::deque<Task> tasks)
{
    for (Task &task : tasks) {
        if (task.kind == Task::Kind::Read)
            performRead(task);
        else if (m_open)
            performOnStandIn(std::move(task));
        else if (!m_backlog.empty() || !performWrite(task))
            m_backlog.push_back(std::move(task));
    }
    if (std::string problem = m_history->traceProblem(); problem != m_traceProblem) {
        m_traceProblem = std::move(problem);
        if (!m_traceProblem.empty())
            report(fmt::format("What the model considered is not stored now; the words are. {}",
                               m_traceProblem));
    }
    const std::scoped_lock lock(m_mutex);
    m_performed = m_taken;
    m_performedMore.notify_all();
}

void HistoryThread::performRead(const Task &task)
{
    try {
        task.operations(*m_history);
    } catch (const DamagedDatabase &error) {
        reportDamage(error);
    } catch (const std::exception &error) {
        report(error.what());
    }
}

/// False when the medium refused it.
bool HistoryThread::performWrite(const Task &task)
{
    const std::function<void()> *settled = &task.done;
    try {
        if (task.kind == Task::Kind::Tokens)
            m_history->appendTokens(task.message, task.tokens);
        else
            m_history->transaction([&] { task.operations(*m_history); });
    } catch (const MediumError &error) {
        refuse(error.what());
        return false;
    } catch (const DamagedDatabase &error) {
        reportDamage(error);
        settled = &task.failed;
    } catch (const std::exception &error) {
        report(error.what());
        settled = &task.failed;
    }
    if (*settled)
        (*settled)();
    return true;
}

/// Now in memory, later, without a second word about it, in the true history.
void HistoryThread::performOnStandIn(Task task)
{
    (void)performWrite(task);
    task.done = {};
    task.failed = {};
    m_backlog.push_back(std::move(task));
}

bool HistoryThread::openTrueHistory()
{
    try {
        std::unique_ptr<History> opened = m_open();
        m_ids.startAfter(opened->newestId());
        m_history = std::move(opened);
    } catch (const std::exception &error) {
        refuse(error.what());
        return false;
    }
    m_open = {};
    if (m_history->recovery())
        report(m_history->recovery()->text());
    return true;
}

void HistoryThread::refuse(const std::string &why)
{
    m_retryAt = Clock::now() + kRetryDelay;
    if (m_refusal == why)
        return;
    m_refusal = why;
    if (m_events.refused)
        m_events.refused(why);
}

void HistoryThread::retryBacklog()
{
    if (m_open ? !openTrueHistory() : m_backlog.empty())
        return;
    while (!m_backlog.empty() && performWrite(m_backlog.front()))
        m_backlog.pop_front();
    if (!m_backlog.empty())
        return;
    m_refusal.clear();
    if (m_events.recovered)
        m_events.recovered();
}

void HistoryThread::abandonBacklog()
{
    if (!m_backlog.empty())
        report(fmt::format("The last {} changes could not be stored and are lost. {}", m_backlog.size(),
                           m_refusal));
    m_backlog.clear();
}

/// Makes the copy of the day, at a moment when nobody waits for anything.
void HistoryThread::backUp()
{
    if (Clock::now() < m_backUpAt || !m_backlog.empty())
        return;
    {
        const std::scoped_lock lock(m_mutex);
        if (!m_queue.empty())
            return;
    }
    m_backUpAt = Clock::now() + kBackupCheck;
    try {
        (void)m_history->backUpDaily();
    } catch (const std::exception &error) {
        report(fmt::format("No copy of the history could be made. {}", error.what()));
    }
}

void HistoryThread::checkClock()
{
    const bool behind = m_history->clockLag() > kClockTolerance;
    m_checkClockAt = Clock::now() + (behind ? Clock::duration(kClockCheck) : Clock::duration(kBackupCheck));
    if (std::exchange(m_clockBehind, behind) != behind && m_events.clockBehind)
        m_events.clockBehind(behind ? "The clock of this machine stands before the last message stored. New "
                                      "messages keep their order, but not their time, until it is right."
                                    : "");
}

void HistoryThread::reportDamage(const DamagedDatabase &error) const
{
    m_history->checkAtNextOpening();
    report(fmt::format("{} Start Bathyscope again: it will repair the history and keep what can be read.",
                       error.what()));
}

void HistoryThread::report(const std::string &text) const
{
    if (m_events.failed)
        m_events.failed(text);
}

} // namespace bathyscope::storage
