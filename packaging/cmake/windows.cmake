# SPDX-License-Identifier: GPL-3.0-or-later
# What programs for Windows carry beside their code.

if(WIN32)
    enable_language(RC)
    # The host's resource compiler knows a compression that Qt for Windows is built without.
    set(CMAKE_AUTORCC_OPTIONS --no-zstd)
endif()

# Icon, description, version and manifest of a program; elsewhere they are the package's.
function(bathyscope_describe target DESCRIPTION)
    if(WIN32)
        configure_file(${PROJECT_SOURCE_DIR}/packaging/windows/program.rc.in ${target}.rc @ONLY)
        target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${target}.rc)
    endif()
endfunction()
