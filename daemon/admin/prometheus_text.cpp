#include "daemon/admin/prometheus_text.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <sstream>
#include <variant>
#include <vector>

#include "daemon/admin/figures.hpp"

namespace zabfs::daemon::admin {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

namespace {

MetricFamily family(std::string_view name, std::string_view help, MetricType type,
                    ClientMetric metric) {
  return {.name = std::string(name),
          .help = std::string(help),
          .type = type,
          .metric = {std::move(metric)}};
}

double value_of(const Gauge& gauge) {
  const auto* whole = std::get_if<std::int64_t>(&gauge.value);
  return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(gauge.value);
}

// In the unit that operators read, without rounding.
double exact(const replication::Distribution& one, std::uint64_t value) {
  constexpr double us_per_ms = 1'000;
  const auto plain = static_cast<double>(value);
  return one.unit() == replication::Unit::microseconds ? plain / us_per_ms : plain;
}

MetricFamily summary(const replication::Distribution& one) {
  ClientMetric metric;
  metric.summary.sample_count = one.count();
  metric.summary.sample_sum = exact(one, one.sum());
  for (const double part : {0.5, 0.9, 0.99}) {
    metric.summary.quantile.push_back(
        {.quantile = part, .value = exact(one, one.percentile(part))});
  }
  return family(one.name(), one.meaning(), MetricType::Summary, std::move(metric));
}

}  // namespace

std::string prometheus_text(const Subject& subject) {
  std::vector<MetricFamily> families;
  for (const Gauge& gauge : gauges(subject)) {
    ClientMetric metric;
    metric.gauge.value = value_of(gauge);
    families.push_back(family(gauge.name, gauge.meaning, MetricType::Gauge, std::move(metric)));
  }
  for (const auto* counter : subject.metrics().counters()) {
    ClientMetric metric;
    metric.counter.value = static_cast<double>(counter->value());
    families.push_back(
        family(counter->name(), counter->meaning(), MetricType::Counter, std::move(metric)));
  }
  for (const auto* one : subject.metrics().distributions()) {
    families.push_back(summary(*one));
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace zabfs::daemon::admin
