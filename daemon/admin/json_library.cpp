// Boost.JSON as part of this program: its header-only form has to be compiled once.
#include <boost/json/src.hpp>
