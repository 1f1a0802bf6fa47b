# SPDX-License-Identifier: GPL-3.0-or-later
# Read by CPack for each format: where the program lies in it.
if(CPACK_GENERATOR STREQUAL "RPM")
    set(CPACK_PACKAGING_INSTALL_PREFIX /opt/bathyscope)
elseif(CPACK_GENERATOR STREQUAL "External")
    set(CPACK_PACKAGING_INSTALL_PREFIX /)
else()
    set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
endif()
