// SPDX-License-Identifier: GPL-3.0-or-later
#if defined(_WIN32)

#include "engine/checkpoint/mapped_file.h"
#include "engine/error.h"

#include <fmt/format.h>

#include <system_error>
#include <windows.h>

namespace bathyscope {

namespace {

[[noreturn]] void throwSystemError(const std::filesystem::path &path, const char *what)
{
    const auto code = static_cast<int>(::GetLastError());
    throw Error(fmt::format("{}: {}: {}", toUtf8(path), what, std::system_category().message(code)));
}

/// Closes the handle when it goes out of scope; a view outlives the handles that it was made with.
struct Handle {
    HANDLE handle;
    explicit Handle(HANDLE value)
        : handle(value)
    {
    }
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;
    ~Handle()
    {
        if (handle != nullptr && handle != INVALID_HANDLE_VALUE)
            ::CloseHandle(handle);
    }
};

} // namespace

MappedFile::MappedFile(const std::filesystem::path &path)
    : m_path(path)
{
    const Handle file(::CreateFileW(path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr,
                                    OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
    if (file.handle == INVALID_HANDLE_VALUE)
        throwSystemError(path, "cannot be opened");
    if (::GetFileType(file.handle) != FILE_TYPE_DISK)
        throw Error(fmt::format("{}: expected a regular file", toUtf8(path)));
    LARGE_INTEGER size = {};
    if (!::GetFileSizeEx(file.handle, &size))
        throwSystemError(path, "cannot be examined");
    if (size.QuadPart == 0)
        return;
    const Handle section(::CreateFileMappingW(file.handle, nullptr, PAGE_READONLY, 0, 0, nullptr));
    const void *address =
        section.handle == nullptr ? nullptr : ::MapViewOfFile(section.handle, FILE_MAP_READ, 0, 0, 0);
    if (address == nullptr)
        throwSystemError(path, "cannot be mapped into memory");
    m_bytes = {static_cast<const std::byte *>(address), static_cast<std::size_t>(size.QuadPart)};
    m_guard.emplace(address, m_bytes.size());
}

void MappedFile::expectWhole() const
{
    if (m_guard && m_guard->isBroken())
        throw Error(fmt::format("{}: could not be read. Load the model again.", toUtf8(m_path)));
}

MappedFile::~MappedFile()
{
    m_guard.reset();
    if (!m_bytes.empty())
        ::UnmapViewOfFile(m_bytes.data());
}

} // namespace bathyscope

#endif
