# SPDX-License-Identifier: GPL-3.0-or-later
# Run by CPack when the files lie in a folder of their own.
set(tree ${CPACK_TEMPORARY_DIRECTORY})

# The .rpm has the program with its libraries in one place, and in those where systems look what they look for.
if(CPACK_GENERATOR STREQUAL "RPM")
    set(program opt/bathyscope)
    execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/../linux/carry ${tree}/${program}
                    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
    file(MAKE_DIRECTORY ${tree}/usr/bin ${tree}/usr/share)
    foreach(shared applications icons man metainfo)
        file(RENAME ${tree}/${program}/share/${shared} ${tree}/usr/share/${shared})
    endforeach()
    foreach(command bathyscope bathyscope-trace bathyscope-bench)
        file(CREATE_LINK ../../${program}/bin/${command} ${tree}/usr/bin/${command} SYMBOLIC)
    endforeach()
endif()

# Every file has the time of the commit, so that two builds are the same.
execute_process(COMMAND find ${tree} -exec touch --no-dereference --date=@$ENV{SOURCE_DATE_EPOCH} {} +
                COMMAND_ERROR_IS_FATAL ANY)
