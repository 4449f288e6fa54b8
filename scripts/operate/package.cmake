# What an installation consists of, and the .deb. scripts/package builds it; paths of the pages come with -D.
set(TOPUP_SHOP_PAGES "" CACHE PATH "the built shop page, for an installation")
set(TOPUP_CONSOLE_PAGES "" CACHE PATH "the built console, for an installation")
set(TOPUP_MINI_PROGRAM_PAGES "" CACHE PATH "the built mini-program, for an installation")
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # a package needs no tests

set(from ${CMAKE_CURRENT_SOURCE_DIR}/scripts/operate)
install(TARGETS topup RUNTIME DESTINATION usr/bin)
install(FILES ${from}/topup.service DESTINATION usr/lib/systemd/system)
install(FILES ${from}/topup.toml DESTINATION etc/topup)
install(FILES ${from}/default DESTINATION etc/default RENAME topup)
install(FILES README.md CHANGELOG.md ${from}/topup.example.toml ${from}/Caddyfile ${from}/nginx.conf
  DESTINATION usr/share/doc/topup)
install(FILES LICENSE DESTINATION usr/share/doc/topup RENAME copyright)
foreach(pages IN ITEMS SHOP CONSOLE MINI_PROGRAM)
  string(TOLOWER ${pages} name)
  string(REPLACE "_" "-" name ${name})
  if(TOPUP_${pages}_PAGES)
    install(DIRECTORY ${TOPUP_${pages}_PAGES}/ DESTINATION usr/share/topup/${name})
  endif()
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /)
set(CPACK_SET_DESTDIR OFF)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME topup)
set(CPACK_PACKAGE_CONTACT "the shop's operator <root@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "self-hosted shop for mobile top-ups")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION web)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")  # scripts/package adds the libraries
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${from}/debian/conffiles ${from}/debian/postinst ${from}/debian/prerm
  ${from}/debian/postrm)
include(CPack)
