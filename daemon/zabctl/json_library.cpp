// Boost.JSON without its shared library: its sources, compiled here once.
#include <boost/json/src.hpp>
