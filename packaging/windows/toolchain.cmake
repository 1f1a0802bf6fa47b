# SPDX-License-Identifier: GPL-3.0-or-later
# Windows on x86-64, from Debian's mingw-w64. Libraries come from BATHYSCOPE_KIT (see packaging/windows/kit)
# and from nowhere else: the host's headers would be wrong without a word.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

# The same sources give the same bytes: no time in the file's header, no folder of the build in its strings.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,--no-insert-timestamp")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-Wl,--no-insert-timestamp")
set(CMAKE_MODULE_LINKER_FLAGS_INIT "-Wl,--no-insert-timestamp")
set(CMAKE_C_FLAGS_INIT "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
set(CMAKE_CXX_FLAGS_INIT "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")

set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BATHYSCOPE_KIT)
set(CMAKE_FIND_ROOT_PATH ${BATHYSCOPE_KIT} /usr/x86_64-w64-mingw32)
set(CMAKE_PREFIX_PATH ${BATHYSCOPE_KIT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
list(GET BATHYSCOPE_KIT 0 libraries)
set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/lib/pkgconfig)
