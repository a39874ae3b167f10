include(GNUInstallDirs)
get_property(programs GLOBAL PROPERTY HEADRACE_PROGRAMS)
install(TARGETS ${programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# The programs look for these beside themselves: ../share/headrace from bin, the source tree from build/<preset>/bin.
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DATADIR}/headrace OPTIONAL)
install(DIRECTORY ui/dist/ DESTINATION ${CMAKE_INSTALL_DATADIR}/headrace/ui OPTIONAL)
