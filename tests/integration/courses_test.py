"""Decisions across streams, as clients of the courses app see them: over gRPC, from many threads, across kill -9."""

import concurrent.futures
import os

import grpc
import wallet_app
from wallet_app import client

client.INCLUDES.append(wallet_app.ROOT / "sample-apps/courses/proto")
client.PROTOS[:] = ["courses/v1/courses.proto", "courses/v1/courses_api.proto"]
client.generate_stubs(wallet_app.WORK / "stubs")

from courses.v1 import courses_api_pb2 as api  # noqa: E402
from courses.v1 import courses_api_pb2_grpc as services  # noqa: E402
from courses.v1 import courses_pb2 as domain  # noqa: E402
from everfold.v1 import command_service_pb2 as commands  # noqa: E402
from everfold.v1 import command_service_pb2_grpc as command_services  # noqa: E402
from google.protobuf import any_pb2  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402


class CoursesApp(wallet_app.WalletApp):
    program = os.environ["COURSES_APP"]


def detail_of(error, kind):
    details = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"]).details
    for detail in details:
        found = kind()
        if detail.Unpack(found):
            return found
    return None


class Courses(wallet_app.IntegrationTest):
    def setUp(self):
        self.server = CoursesApp(self.id().rsplit(".", 1)[-1])
        self.addCleanup(self.server.close_channel)
        self.addCleanup(lambda: self.server.process and self.server.kill())
        self.server.start()

    def offer(self, course, seats):
        stub = services.CourseCommandServiceStub(self.server.channel)
        return stub.OfferCourse(api.OfferCourseRequest(command=domain.OfferCourse(course_id=course, seats=seats))).receipt

    def enrol(self, student, course, **more):
        stub = services.EnrolmentCommandServiceStub(self.server.channel)
        command = domain.EnrolStudent(student_id=student, course_id=course)
        return stub.EnrolStudent(api.EnrolStudentRequest(command=command, **more)).receipt

    def error_of(self, call):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        return raised.exception

    def test_has_a_service_of_its_own(self):
        self.offer("c1", 1)
        receipt = self.enrol("anna", "c1")
        self.assertEqual((receipt.stream, receipt.version), ("course/c1", 2))
        self.assertEqual([(s.stream, s.version) for s in receipt.streams], [("course/c1", 2)])
        full = self.error_of(lambda: self.enrol("ben", "c1"))
        self.assertEqual(full.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertEqual(detail_of(full, domain.CourseIsFull).seats, 1)
        self.assertEqual(detail_of(full, error_details_pb2.PreconditionFailure).violations[0].subject, "enrolment")
        broken = self.error_of(lambda: self.enrol("", "c1"))
        self.assertEqual(detail_of(broken, error_details_pb2.BadRequest).field_violations[0].field,
                         "command.student_id")
        self.assertEqual(self.enrol("anna", "c1").stream, "", "nothing changed")

    def test_takes_commands_by_the_service_of_all(self):
        self.offer("c1", 1)
        self.offer("c2", 1)
        self.enrol("anna", "c1")
        packed = any_pb2.Any()
        packed.Pack(domain.SwapCourse(student_id="anna", from_course_id="c1", to_course_id="c2"))
        stub = command_services.CommandServiceStub(self.server.channel)
        receipt = stub.Execute(commands.ExecuteRequest(command=packed, request_id="r1")).receipt
        self.assertEqual([(s.stream, s.version) for s in receipt.streams], [("course/c1", 3), ("course/c2", 2)])
        again = stub.Execute(commands.ExecuteRequest(command=packed, request_id="r1")).receipt
        self.assertTrue(again.repeated)
        self.assertEqual(again.consistency_token, receipt.consistency_token)
        versioned = self.error_of(
            lambda: stub.Execute(commands.ExecuteRequest(command=packed, request_id="r2", expected_version=3)))
        self.assertEqual(versioned.code(), grpc.StatusCode.INVALID_ARGUMENT)

    def test_gives_no_seat_twice_and_forgets_none(self):
        courses = {f"c{i}": 5 for i in range(4)}
        for course, seats in courses.items():
            self.offer(course, seats)
        wanted = [(f"s{i}", course) for i in range(20) for course in courses]

        def try_to_enrol(pair):
            try:
                receipt = self.enrol(*pair, request_id="/".join(pair))
                return pair, receipt.sequence
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.FAILED_PRECONDITION, error)
                return pair, None

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            first = dict(pool.map(try_to_enrol, wanted))
        for course, seats in courses.items():
            self.assertEqual(len([1 for (_, c), s in first.items() if s and c == course]), seats)
        for student in {student for student, _ in wanted}:
            self.assertLessEqual(len([1 for (who, _), s in first.items() if s and who == student]), 3)
        self.server.kill()
        self.server.start()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            again = dict(pool.map(try_to_enrol, wanted))
        self.assertEqual(again, first, "who asks again is told the same, and nobody gets a seat that is taken")


if __name__ == "__main__":
    wallet_app.main()
