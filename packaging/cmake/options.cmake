# SPDX-License-Identifier: GPL-3.0-or-later
# Compiler options that every target of the project shares.

add_library(bathyscope_options INTERFACE)
target_include_directories(bathyscope_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(bathyscope_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 warns about std::string concatenation by mistake (gcc bug 105651).
    target_compile_options(bathyscope_options INTERFACE -Wno-restrict)
endif()
# Places that errors name are told from the top of the repository, the same in every clone.
target_compile_options(bathyscope_options INTERFACE -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(WIN32)
    # Windows 10; UTF-16 names of functions; files are what is in them, with no line ends translated.
    target_compile_definitions(bathyscope_options INTERFACE _WIN32_WINNT=0x0A00 UNICODE _UNICODE NOMINMAX WIN32_LEAN_AND_MEAN)
    target_link_options(bathyscope_options INTERFACE -l:binmode.o)
    # g++ keeps the stack aligned to 16 bytes only, and AVX would fault on its own spills (gcc bug 54412).
    target_compile_options(bathyscope_options INTERFACE -Wa,-muse-unaligned-vector-move)
endif()
if(BATHYSCOPE_WERROR)
    target_compile_options(bathyscope_options INTERFACE -Werror)
endif()
if(BATHYSCOPE_SANITIZE)
    add_compile_options(-fsanitize=${BATHYSCOPE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${BATHYSCOPE_SANITIZE})
endif()

if(BATHYSCOPE_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# bathyscope_precompile(NAME [HEADER...]): with BATHYSCOPE_PRECOMPILE, the headers that most sources of a target
# include are read once; reading them takes most of a build. A build without shows whether each file includes
# what it uses.
function(bathyscope_precompile name)
    if(BATHYSCOPE_PRECOMPILE)
        target_precompile_headers(${name} PRIVATE <algorithm> <atomic> <chrono> <cmath> <filesystem> <functional>
            <map> <memory> <mutex> <optional> <span> <string> <string_view> <thread> <utility> <variant> <vector>
            ${ARGN})
    endif()
endfunction()

# bathyscope_precompile_test(NAME LIBRARY...): as above, once for all tests of one framework.
function(bathyscope_precompile_test name)
    if(NOT BATHYSCOPE_PRECOMPILE)
        return()
    endif()
    set(framework GTest::gtest)
    set(headers <gtest/gtest.h> <fmt/format.h> <nlohmann/json.hpp>)
    if("Qt6::Test" IN_LIST ARGN)
        set(framework Qt6::Test Qt6::Widgets)
        set(headers <QtTest> <QtWidgets>)
    endif()
    string(MAKE_C_IDENTIFIER "headers_of_${framework}" shared)
    if(NOT TARGET ${shared})
        file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/${shared}.cpp CONTENT "")
        add_library(${shared} OBJECT ${PROJECT_BINARY_DIR}/${shared}.cpp)
        target_link_libraries(${shared} PRIVATE ${framework} bathyscope_options)
        target_compile_options(${shared} PRIVATE -UQT_TESTCASE_BUILDDIR -UQT_TESTCASE_SOURCEDIR)
        bathyscope_precompile(${shared} ${headers})
    endif()
    target_precompile_headers(${name} REUSE_FROM ${shared})
    # Qt's names of each test's folders, which no test asks for, would make the headers differ.
    target_compile_options(${name} PRIVATE -UQT_TESTCASE_BUILDDIR -UQT_TESTCASE_SOURCEDIR)
endfunction()

# A library made of all sources of the current folder and those below it.
function(bathyscope_library name)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp *.h)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC bathyscope_options)
endfunction()

# A test program from sources of the current folder, registered with ctest.
function(bathyscope_test name)
    cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
    bathyscope_precompile_test(${name} ${arg_LIBRARIES})
    target_compile_definitions(${name} PRIVATE
        BATHYSCOPE_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data"
        BATHYSCOPE_BUILTIN_MODEL="${CMAKE_SOURCE_DIR}/resources/models/deepseek-v3-builtin")
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "QT_QPA_PLATFORM=offscreen")
endfunction()
