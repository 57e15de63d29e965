#include "courses.h"
#include "everfold/app/app.h"

int main(int argc, char** argv) {
  return everfold::App("courses")
      .Aggregate<courses::v1::CourseDecider>()
      .Aggregate<courses::v1::StudentDecider>()
      .Boundary<courses::v1::RegistrationDecider>()
      .Boundary<courses::v1::EnrolmentDecider>()
      .Main(argc, argv);
}
