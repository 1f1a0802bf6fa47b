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
