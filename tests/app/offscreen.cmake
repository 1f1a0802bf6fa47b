# SPDX-License-Identifier: GPL-3.0-or-later
# Starts PROGRAM with a prompt and without a display: the answer on stdout, a picture in PICTURE, exit code 0;
# and an error for a model that is not there.
file(REMOVE ${PICTURE})
execute_process(COMMAND ${PROGRAM} --offscreen --prompt "What is 25 * 37?" --screenshot ${PICTURE}
                OUTPUT_VARIABLE answer RESULT_VARIABLE code)
if(NOT code EQUAL 0 OR NOT answer MATCHES "925")
    message(FATAL_ERROR "expected an answer with 925 and exit code 0, found ${code}: ${answer}")
endif()
file(READ ${PICTURE} head LIMIT 4 HEX)
if(NOT head STREQUAL "89504e47")
    message(FATAL_ERROR "${PICTURE} is no PNG file")
endif()

# A token of an answer from an earlier run can be looked at: the inspector then shows it.
set(profile ${PICTURE}.profile)
file(REMOVE_RECURSE ${profile})
execute_process(COMMAND ${PROGRAM} --offscreen --profile ${profile} --prompt "Is 91 prime?" OUTPUT_QUIET)
foreach(picture plain selected)
    set(select)
    if(picture STREQUAL selected)
        set(select --select-token 12)
    endif()
    execute_process(COMMAND ${PROGRAM} --offscreen --profile ${profile} ${select} --screenshot ${profile}/${picture}.png)
    file(SHA256 ${profile}/${picture}.png ${picture})
endforeach()
if(plain STREQUAL selected)
    message(FATAL_ERROR "--select-token changed nothing in the window")
endif()

execute_process(COMMAND ${PROGRAM} --offscreen --prompt Hello --model /nowhere
                OUTPUT_VARIABLE answer ERROR_VARIABLE complaint RESULT_VARIABLE code)
if(NOT code EQUAL 1 OR NOT complaint MATCHES "/nowhere")
    message(FATAL_ERROR "expected an error naming /nowhere and exit code 1, found ${code}: ${complaint}")
endif()

execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=DISPLAY --unset=WAYLAND_DISPLAY --unset=QT_QPA_PLATFORM
                        ${PROGRAM}
                ERROR_VARIABLE complaint RESULT_VARIABLE code)
if(NOT code EQUAL 2 OR NOT complaint MATCHES "--offscreen")
    message(FATAL_ERROR "expected an offer of --offscreen and exit code 2, found ${code}: ${complaint}")
endif()
