# SPDX-License-Identifier: GPL-3.0-or-later
# Run by CPack for the portable archive.
execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/../linux/portable ${CPACK_TEMPORARY_DIRECTORY}
                        ${CPACK_PACKAGE_DIRECTORY} ${CPACK_PACKAGE_FILE_NAME} ${CPACK_PACKAGE_VERSION}
                COMMAND_ERROR_IS_FATAL ANY)
