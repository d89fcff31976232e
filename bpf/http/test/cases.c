/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#include "cases.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define OTHER "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
#define ZERO_TRACE "00000000000000000000000000000000-b7ad6b7169203331-01"
#define ZERO_SPAN "0af7651916cd43dd8448eb211c80319c-0000000000000000-01"
#define GET "G|ET / HTTP/1.1\r\n"
#define NEXT "G|ET / HTTP/1.1\r\n\r\n|"
#define FIELD(value) GET "traceparent: " value "\r\n\r\n|"

/* HTTP/2: the preface and a first SETTINGS; :method GET, :path /, :scheme http. */
#define CLIENT "P {04 00 0} "
#define CLIENT_EVENTS "S S F(4 0 0)"
#define METHOD "828684"
#define NAME "'traceparent'"
#define VALUE "'00-" TRACE "'"
#define NAME_HUFFMAN "~traceparent~"
#define VALUE_HUFFMAN "~00-" TRACE "~"
#define OTHER_HUFFMAN "~00-" OTHER "~"

#define TEXT(...) { __VA_ARGS__, false, false, false }
#define HTTP2(...) { __VA_ARGS__, true, false, false }

const struct http_case http_cases[] = {
	/* ---- HTTP/1: where the trace context may stand ---- */
	TEXT("first", GET "traceparent: 00-" TRACE "\r\n\r\n|", "S H(" TRACE ")E"),
	TEXT("last of several", GET "Host: a\r\nAccept: */*\r\ntraceparent: 00-" TRACE "\r\n\r\n|" NEXT,
	     "S H(" TRACE ")E S H(-)E"),
	TEXT("name in any case, no space", GET "TraceParent:00-" OTHER "\r\nx: y\r\n\r\n|", "S H(" OTHER ")E"),
	TEXT("white space around", GET "traceparent: \t 00-" TRACE " \t\r\n\r\n|", "S H(" TRACE ")E"),
	TEXT("lone line feeds", "G|ET / HTTP/1.1\nhost: a\ntraceparent: 00-" TRACE "\n\n|", "S H(" TRACE ")E"),
	TEXT("folded before the value", GET "traceparent:\r\n 00-" TRACE "\r\n\r\n|", "S H(" TRACE ")E"),
	TEXT("folded after the value", GET "traceparent: 00-" TRACE "\r\n \t\r\n\r\n|", "S H(" TRACE ")E"),
	TEXT("folded within", GET "traceparent: 00-0af7651916cd43dd\r\n 8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n|",
	     "S H(-)E"),
	TEXT("another field is folded", GET "x: y\r\n traceparent: 00-" TRACE "\r\n\r\n|", "S H(-)E"),
	TEXT("space before the first field", GET " traceparent: 00-" TRACE "\r\n\r\n|", "S H(-)E"),
	TEXT("in the target", "G|ET /?traceparent: 00-" TRACE " HTTP/1.1\r\n\r\n|", "S H(-)E"),
	TEXT("in another value", GET "x: traceparent: 00-" TRACE "\r\n\r\n|", "S H(-)E"),
	TEXT("a longer name", GET "traceparents: 00-" TRACE "\r\n\r\n|", "S H(-)E"),
	TEXT("a longer name", GET "xtraceparent: 00-" TRACE "\r\n\r\n|", "S H(-)E"),
	TEXT("a shorter name", GET "traceparen: 00-" TRACE "\r\n\r\n|", "S H(-)E"),
	TEXT("a name with a space", GET "traceparent |: 00-" TRACE "\r\n\r\n", "S L"),
	TEXT("twice", GET "traceparent: 00-" TRACE "\r\ntraceparent: 00-" TRACE "\r\n\r\n|" NEXT, "S H(-)E S H(-)E"),
	TEXT("three times", GET "traceparent: 1\r\ntraceparent: 2\r\ntraceparent: 00-" TRACE "\r\n\r\n|", "S H(-)E"),
	TEXT("first invalid, then valid", GET "traceparent: 1\r\ntraceparent: 00-" TRACE "\r\n\r\n|", "S H(-)E"),
	TEXT("in the body", "P|OST / HTTP/1.1\r\ncontent-length: 68\r\n\r\n|traceparent: 00-" TRACE "|" NEXT,
	     "S H(-) E S H(-)E"),
	TEXT("in the trailers",
	     "P|OST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n|0\r\ntraceparent: 00-" TRACE "\r\n\r\n|" NEXT,
	     "S H(-) E S H(-)E"),
	TEXT("not of the message before", FIELD("00-" TRACE) NEXT, "S H(" TRACE ")E S H(-)E"),

	/* ---- the value ---- */
	TEXT("upper case", FIELD("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"), "S H(-)E"),
	TEXT("no trace id", FIELD("00-" ZERO_TRACE), "S H(-)E"),
	TEXT("no span id", FIELD("00-" ZERO_SPAN), "S H(-)E"),
	TEXT("version ff", FIELD("ff-" TRACE), "S H(-)E"),
	TEXT("version fe", FIELD("fe-" TRACE), "S H(" TRACE ")E"),
	TEXT("version 01, longer", FIELD("01-" TRACE "-what the future brings, Z"), "S H(" TRACE ")E"),
	TEXT("version 01, a dash", FIELD("01-" TRACE "-"), "S H(" TRACE ")E"),
	TEXT("version 01, no dash", FIELD("01-" TRACE ".x"), "S H(-)E"),
	TEXT("version 00, longer", FIELD("00-" TRACE "-x"), "S H(-)E"),
	TEXT("version 00, more hex", FIELD("00-" TRACE "0"), "S H(-)E"),
	TEXT("version 01, space before the dash", FIELD("01-" TRACE " -"), "S H(-)E"),
	TEXT("too short", FIELD("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"), "S H(-)E"),
	TEXT("dashes elsewhere", FIELD("000af7651916cd43dd8448eb211c80319c--b7ad6b7169203331-01"), "S H(-)E"),
	TEXT("empty", FIELD(""), "S H(-)E"),
	TEXT("space within",
	     FIELD("00-"
		   "0af7651916cd43dd8448eb211c80319c b7ad6b7169203331-01"),
	     "S H(-)E"),
	TEXT("two in one", FIELD("00-" TRACE ", 00-" TRACE), "S H(-)E"),
	TEXT("all flags", FIELD("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff"),
	     "S H(0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff)E"),

	/* ---- HTTP/1: framing of requests ---- */
	TEXT("pipelined", NEXT NEXT FIELD("00-" TRACE) NEXT, "S H(-)E S H(-)E S H(" TRACE ")E S H(-)E"),
	TEXT("empty lines between", NEXT "\r\n\n" NEXT, "S H(-)E S H(-)E"),
	TEXT("empty line first", "\r\n" NEXT, "S H(-)E"),
	TEXT("HTTP/1.0", "G|ET / HTTP/1.0\r\n\r\n|", "S H(-)E"),
	TEXT("methods with P", "P|UT / HTTP/1.1\r\n\r\n|P|ATCH / HTTP/1.1\r\n\r\n|", "S H(-)E S H(-)E"),
	TEXT("PROPFIND", "P|ROPFIND / HTTP/1.1\r\n\r\n|", "S H(-)E"),
	TEXT("PRO", "P|RIX| / HTTP/1.1\r\n\r\n", "S L"),
	TEXT("a method of its own", "M|-SEARCH * HTTP/1.1\r\n\r\n|", "S H(-)E"),
	TEXT("length 0", "P|OST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n|" NEXT, "S H(-)E S H(-)E"),
	TEXT("length 1", "P|OST / HTTP/1.1\r\nContent-Length:1\r\n\r\n|G|" NEXT, "S H(-) E S H(-)E"),
	TEXT("length with spaces and zeros", "P|OST / HTTP/1.1\r\nCONTENT-LENGTH: \t 0003 \r\n\r\n|abc|" NEXT,
	     "S H(-) E S H(-)E"),
	TEXT("the same length twice", "P|OST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 03\r\n\r\n|abc|" NEXT,
	     "S H(-) E S H(-)E"),
	TEXT("two lengths", "P|OST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r|\nabc", "S L"),
	TEXT("a list of lengths", "P|OST / HTTP/1.1\r\ncontent-length: 3,| 3\r\n\r\nabc", "S L"),
	TEXT("no length", "P|OST / HTTP/1.1\r\ncontent-length: \r\n\r|\nabc", "S L"),
	TEXT("a negative length", "P|OST / HTTP/1.1\r\ncontent-length: -|3\r\n\r\nabc", "S L"),
	TEXT("a length in two parts", "P|OST / HTTP/1.1\r\ncontent-length: 3 4|\r\n\r\nabc", "S L"),
	TEXT("a length in two lines", "P|OST / HTTP/1.1\r\ncontent-length: 3\n 4|\r\n\r\nabc", "S L"),
	TEXT("a length that overflows", "P|OST / HTTP/1.1\r\ncontent-length: 1844674407370955162|0\r\n\r\nabc", "S L"),
	TEXT("chunks, extensions",
	     "P|OST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n|5\r\nGET /\r\n00A ; x=\"y\"\r\n0123456789\r\n0;z\r\n\r\n|" NEXT,
	     "S H(-) E S H(-)E"),
	TEXT("chunks with line feeds", "P|OST / HTTP/1.1\nTransfer-Encoding: CHUNKED\n\n|5\nabcde\n0\n\n|" NEXT,
	     "S H(-) E S H(-)E"),
	TEXT("coded twice",
	     "P|OST / HTTP/1.1\r\ntransfer-encoding: gzip , chunked\r\n\r\n|1\r\n0\r\n0\r\na: b\r\nc: d\r\n\r\n|" NEXT,
	     "S H(-) E S H(-)E"),
	TEXT("coded in two fields",
	     "P|OST / HTTP/1.1\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n|0\r\n\r\n|" NEXT,
	     "S H(-) E S H(-)E"),
	TEXT("chunked and a length",
	     "P|OST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n|0\r\n\r\n|" NEXT,
	     "S H(-) E S H(-)E"),
	TEXT("chunked first", "P|OST / HTTP/1.1\r\ntransfer-encoding: chunked, gzip\r\n\r\n|", "S L"),
	TEXT("coded as xchunked", "P|OST / HTTP/1.1\r\ntransfer-encoding: xchunked\r\n\r\n|", "S L"),
	TEXT("coded as chun ked", "P|OST / HTTP/1.1\r\ntransfer-encoding: chun ked\r\n\r\n|", "S L"),
	TEXT("chunked, folded", "P|OST / HTTP/1.1\r\ntransfer-encoding:\r\n\tchunked\r\n\r\n|0\r\n\r\n|", "S H(-) E"),
	TEXT("a chunk without size", "P|OST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n|;|", "S H(-) L"),
	TEXT("a chunk of negative size", "P|OST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n|-|1\r\n", "S H(-) L"),
	TEXT("a chunk that overflows", "P|OST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n|1000000000000000|0\r\n",
	     "S H(-) L"),
	TEXT("a chunk longer than it says", "P|OST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n|3\r\nabcd|\r\n",
	     "S H(-) L"),
	TEXT("CONNECT", "C|ONNECT a:1 HTTP/1.1\r\ntraceparent: 00-" TRACE "\r\n\r\n|GET / HTTP/1.1\r\n\r\n",
	     "S H(CONNECT " TRACE ")"),
	TEXT("HEAD", "H|EAD / HTTP/1.1\r\n\r\n|G|ET / HTTP/1.1\r\n\r\n|", "S H(HEAD -)E S H(-)E"),
	TEXT("no coding", "P|OST / HTTP/1.1\r\ntransfer-encoding: \r\n\r\n|", "S L"),
	TEXT("no version", "G|ET /\r\n|\r\n", "S L"),
	TEXT("another version", "G|ET / HTTP/1.2\r\n|\r\n", "S L"),
	TEXT("another protocol", "E|HLO a\r\n|", "S L"),
	TEXT("TLS", "\x16|\x03\x01", "L"),
	TEXT("a method too long", "A|AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA| / HTTP/1.1\r\n\r\n", "S L"),
	TEXT("a return without line feed", GET "a: b\r\n\rx|", "S L"),
	TEXT("a response among requests", NEXT "H|TTP/1.1 |200 OK\r\n\r\n", "S H(-)E S L"),

	/* ---- HTTP/1: framing of responses ---- */
	TEXT("a response",
	     "H|TTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n|HTTP/|H|TTP/1.0 404\r\ncontent-length: 0\r\n\r\n|",
	     "S H(200 -) E S H(404 -)E"),
	TEXT("chunks in a response",
	     "H|TTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n|1\r\na\r\n0\r\n\r\n|H|TTP/1.1 204 \r\n\r\n|",
	     "S H(200 -) E S H(204 -)E"),
	TEXT("interim",
	     "H|TTP/1.1 100 Continue\r\n\r\n|H|TTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n|H|TTP/1.1 201 A\r\ncontent-length: 0\r\n\r\n|",
	     "S H(100 -)E S H(103 -)E S H(201 -)E"),
	TEXT("no body by status",
	     "H|TTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n|H|TTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n|",
	     "S H(304 -)E S H(204 -)E"),
	TEXT("until close", "H|TTP/1.1 200 OK\r\n\r\n|HTTP/1.1 200 OK\r\n\r\n", "S H(200 -)"),
	TEXT("coded until close",
	     "H|TTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\ncontent-length: 1\r\n\r\n|HTTP/1.1 200 OK\r\n\r\n",
	     "S H(200 -)"),
	TEXT("upgrade", "H|TTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n|HTTP/1.1 200 OK\r\n\r\n", "S H(101 -)"),
	{ .name = "answers to HEAD",
	  .input =
		  "H|TTP/1.1 100 A\r\n\r\n|H|TTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n|H|TTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n|a|",
	  .events = "S H(100 -)E S H(200 -)E S H(200 -) E",
	  .answers_head = true },
	{ .name = "refusal of CONNECT",
	  .input = "H|TTP/1.1 407 A\r\ncontent-length: 1\r\n\r\n|a|H|TTP",
	  .events = "S H(407 -) E S",
	  .answers_connect = true },
	{ .name = "answer to CONNECT",
	  .input = "H|TTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n|aHTTP/1.1 200 OK\r\n",
	  .events = "S H(200 -)",
	  .answers_connect = true },
	TEXT("a status that is none", "H|TTP/1.1 0|99 A\r\n\r\n", "S L"),
	TEXT("a status of two digits", "H|TTP/1.1 20 |A\r\n\r\n", "S L"),
	TEXT("a status of four digits", "H|TTP/1.1 2000| A\r\n\r\n", "S L"),
	TEXT("another version of a response", "H|TTP/2 |200 A\r\n\r\n", "S L"),
	TEXT("a request among responses", "H|TTP/1.1 204 A\r\n\r\n|G|ET |/ HTTP/1.1\r\n\r\n", "S H(204 -)E S L"),

	/* ---- HTTP/2 ---- */
	HTTP2("plain, not indexed", CLIENT "{01 05 1: " METHOD " 00 " NAME " " VALUE "}|",
	      CLIENT_EVENTS " S F(1 1 72) H(1 " TRACE ")E(1)"),
	HTTP2("never indexed", CLIENT "{01 05 1: " METHOD " 10 " NAME " " VALUE "}|",
	      CLIENT_EVENTS " S F(1 1 72) H(1 " TRACE ")E(1)"),
	HTTP2("Huffman", CLIENT "{01 05 1: " METHOD " 00 " NAME_HUFFMAN " " VALUE_HUFFMAN "}|",
	      CLIENT_EVENTS " S F(1 1 53) H(1 " TRACE ")E(1)"),
	HTTP2("Huffman name, plain value", CLIENT "{01 05 1: " METHOD " 00 " NAME_HUFFMAN " " VALUE "}|",
	      CLIENT_EVENTS " S F(1 1 69) H(1 " TRACE ")E(1)"),
	HTTP2("name in upper case", CLIENT "{01 05 1: " METHOD " 00 'Traceparent' " VALUE "}|",
	      CLIENT_EVENTS " S F(1 1 72) H(1 -)E(1)"),
	HTTP2("another name of that length", CLIENT "{01 05 1: " METHOD " 00 'traceparens' " VALUE "}|",
	      CLIENT_EVENTS " S F(1 1 72) H(1 -)E(1)"),
	HTTP2("another name of that Huffman length", CLIENT "{01 05 1: " METHOD " 00 ~traceparens~ " VALUE "}|",
	      CLIENT_EVENTS " S F(1 1 69) H(1 -)E(1)"),
	HTTP2("inserted, then indexed",
	      CLIENT "{01 05 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN "}| {01 05 3: " METHOD
		     " be}| {01 05 5: " METHOD " be}|",
	      CLIENT_EVENTS " S F(1 1 53) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE ")E(3) S F(1 5 4) H(5 " TRACE
			    ")E(5)"),
	HTTP2("indexed name, inserted",
	      CLIENT "{01 05 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN "}| {01 05 3: " METHOD
		     " 7e " OTHER_HUFFMAN "}| {01 05 5: " METHOD " be}| {01 05 7: " METHOD " bf}|",
	      CLIENT_EVENTS " S F(1 1 53) H(1 " TRACE ")E(1) S F(1 3 44) H(3 " OTHER ")E(3) S F(1 5 4) H(5 " OTHER
			    ")E(5) S F(1 7 4) H(7 " TRACE ")E(7)"),
	HTTP2("indexed name, not inserted",
	      CLIENT "{01 05 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN "}| {01 05 3: " METHOD
		     " 0f2f " OTHER_HUFFMAN "}| {01 05 5: " METHOD " be}|",
	      CLIENT_EVENTS " S F(1 1 53) H(1 " TRACE ")E(1) S F(1 3 45) H(3 " OTHER ")E(3) S F(1 5 4) H(5 " TRACE
			    ")E(5)"),
	HTTP2("others inserted after it",
	      CLIENT "{01 05 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     " 40 'ccccc' 'dddddd' 40 'ccccc' 'dddddd'}| {01 05 3: " METHOD " c0}| {01 05 5: " METHOD
		     " bf}| {01 05 7: " METHOD " be}| {01 05 9: " METHOD " 0f31 " OTHER_HUFFMAN "}|",
	      CLIENT_EVENTS " S F(1 1 81) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE
			    ")E(3) S F(1 5 4) H(5 -)E(5) S F(1 7 4) H(7 -)E(7) S F(1 9 45) H(9 " OTHER ")E(9)"),
	HTTP2("others inserted before it",
	      CLIENT "{01 05 1: " METHOD " 40 'ccccc' 'dddddd' 40 'ccccc' 'dddddd' 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     "}| {01 05 3: " METHOD " be}| {01 05 5: " METHOD " bf}|",
	      CLIENT_EVENTS " S F(1 1 81) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE ")E(3) S F(1 5 4) H(5 -)E(5)"),
	HTTP2("static name inserted",
	      CLIENT "{01 05 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN "}| {01 05 3: " METHOD
		     " 41 'aaaaaaaaa'}| {01 05 5: " METHOD " bf}| {01 05 7: " METHOD " be}|",
	      CLIENT_EVENTS " S F(1 1 53) H(1 " TRACE ")E(1) S F(1 3 14) H(3 -)E(3) S F(1 5 4) H(5 " TRACE
			    ")E(5) S F(1 7 4) H(7 -)E(7)"),
	HTTP2("twice in a message",
	      CLIENT "{01 05 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     "}| {01 05 3: " METHOD " be}| {01 05 5: " METHOD " be bf}|",
	      CLIENT_EVENTS " S F(1 1 103) H(1 -)E(1) S F(1 3 4) H(3 " TRACE ")E(3) S F(1 5 5) H(5 -)E(5)"),
	HTTP2("invalid value inserted",
	      CLIENT "{01 05 1: " METHOD " 40 " NAME " 37 *55:30}| {01 05 3: " METHOD " be}| {01 05 5: " METHOD
		     " 7e " OTHER_HUFFMAN "}|",
	      CLIENT_EVENTS " S F(1 1 72) H(1 -)E(1) S F(1 3 4) H(3 -)E(3) S F(1 5 44) H(5 " OTHER ")E(5)"),
	HTTP2("empty value", CLIENT "{01 05 1: " METHOD " 00 " NAME " 00}| {01 05 3: " METHOD "}|",
	      CLIENT_EVENTS " S F(1 1 17) H(1 -)E(1) S F(1 3 3) H(3 -)E(3)"),
	HTTP2("empty name",
	      CLIENT "{01 05 1: " METHOD " 40 00 ''}| {01 05 3: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     "}| {01 05 5: " METHOD " be}|",
	      CLIENT_EVENTS " S F(1 1 6) H(1 -)E(1) S F(1 3 53) H(3 " TRACE ")E(3) S F(1 5 4) H(5 " TRACE ")E(5)"),
	HTTP2("nine values, eight are kept",
	      CLIENT
	      "{01 05 1: " METHOD " 40 " NAME " '00-11111111111111111111111111111111-1111111111111111-01' 40 " NAME
	      " '00-22222222222222222222222222222222-2222222222222222-01' 40 " NAME
	      " '00-33333333333333333333333333333333-3333333333333333-01' 40 " NAME
	      " '00-44444444444444444444444444444444-4444444444444444-01' 40 " NAME
	      " '00-55555555555555555555555555555555-5555555555555555-01' 40 " NAME
	      " '00-66666666666666666666666666666666-6666666666666666-01' 40 " NAME
	      " '00-77777777777777777777777777777777-7777777777777777-01' 40 " NAME
	      " '00-88888888888888888888888888888888-8888888888888888-01' 40 " NAME
	      " '00-99999999999999999999999999999999-9999999999999999-01'}| {01 05 3: " METHOD " c5}| {01 05 5: " METHOD
	      " c6}| {01 05 7: " METHOD " 0f37 " OTHER_HUFFMAN "}| {01 05 9: " METHOD " c6 c5}|",
	      CLIENT_EVENTS
	      " S F(1 1 624) H(1 -)E(1) S F(1 3 4) H(3 22222222222222222222222222222222-2222222222222222-01)E(3) S F(1 5 4) H(5 -)E(5) S F(1 7 45) H(7 " OTHER
	      ")E(7) S F(1 9 5) H(9 -)E(9)"),
	HTTP2("size 0, nothing is inserted",
	      CLIENT "{01 05 1: 20 " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN "}| {01 05 3: " METHOD " 00 " NAME
		     " " VALUE "}| {01 05 5: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN " 00 'a' 'b'}|",
	      CLIENT_EVENTS " S F(1 1 54) H(1 " TRACE ")E(1) S F(1 3 72) H(3 " TRACE ")E(3) S F(1 5 58) H(5 " TRACE
			    ")E(5)"),
	HTTP2("size 0 and back",
	      CLIENT "{01 05 1: 20 3fe11f " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN "}| {01 05 3: " METHOD " be}|",
	      CLIENT_EVENTS " S F(1 1 57) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE ")E(3)"),
	HTTP2("an entry larger than the table by a byte",
	      CLIENT "{01 05 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     " 40 'abc' 7fdf1e *4062:65}| {01 05 3: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     "}| {01 05 5: " METHOD " be}|",
	      CLIENT_EVENTS " S F(1 1 4123) H(1 " TRACE ")E(1) S F(1 3 53) H(3 " TRACE ")E(3) S F(1 5 4) H(5 " TRACE
			    ")E(5)"),
	HTTP2("an entry as large as the table",
	      CLIENT "{01 05 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     " 40 'abc' 7fde1e *4061:65}| {01 05 3: " METHOD " be}| {01 05 5: " METHOD " 40 " NAME_HUFFMAN
		     " " VALUE_HUFFMAN "}| {01 05 7: " METHOD " be}| {01 05 9: " METHOD " bf}|",
	      CLIENT_EVENTS " S F(1 1 4122) H(1 " TRACE ")E(1) S F(1 3 4) H(3 -)E(3) S F(1 5 53) H(5 " TRACE
			    ")E(5) S F(1 7 4) H(7 " TRACE ")E(7) S F(1 9 4) H(9 -)E(9)"),
	HTTP2("a Huffman coded entry larger by a byte",
	      CLIENT "{01 05 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     " 40 'abc' ffec12 *2538:00 03}| {01 05 3: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     "}| {01 05 5: " METHOD " be}|",
	      CLIENT_EVENTS " S F(1 1 2600) H(1 " TRACE ")E(1) S F(1 3 53) H(3 " TRACE ")E(3) S F(1 5 4) H(5 " TRACE
			    ")E(5)"),
	HTTP2("a Huffman coded entry as large as the table",
	      CLIENT "{01 05 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     " 40 'abc' ffec12 *2538:00 7f}| {01 05 3: " METHOD " be}| {01 05 5: " METHOD " 40 " NAME_HUFFMAN
		     " " VALUE_HUFFMAN "}| {01 05 7: " METHOD " bf}|",
	      CLIENT_EVENTS " S F(1 1 2600) H(1 " TRACE ")E(1) S F(1 3 4) H(3 -)E(3) S F(1 5 53) H(5 " TRACE
			    ")E(5) S F(1 7 4) H(7 -)E(7)"),
	HTTP2("a value of the longest codes",
	      CLIENT "{01 05 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     " 40 'abc' 88 fffffff3 ffffffd3}| {01 05 3: " METHOD " bf}|",
	      CLIENT_EVENTS " S F(1 1 67) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE ")E(3)"),
	HTTP2("a size that a table's name leaves open",
	      CLIENT
	      "{01 05 1: " METHOD
	      " 40 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' 'x' 7e 7fa11e *4000:65|}",
	      CLIENT_EVENTS " S F(1 1 4111) L"),
	HTTP2("index 0", CLIENT "{01 05 1: " METHOD " 80|}", CLIENT_EVENTS " S F(1 1 4) L"),
	HTTP2("beyond the table", CLIENT "{01 05 1: " METHOD " be|}", CLIENT_EVENTS " S F(1 1 4) L"),
	HTTP2("name beyond the table", CLIENT "{01 05 1: " METHOD " 7e| 00}", CLIENT_EVENTS " S F(1 1 5) L"),
	HTTP2("resize within", CLIENT "{01 05 1: " METHOD " 20|}", CLIENT_EVENTS " S F(1 1 4) L"),
	HTTP2("ends within an integer", CLIENT "{01 05 1: " METHOD " ff|}", CLIENT_EVENTS " S F(1 1 4) L"),
	HTTP2("ends within a name", CLIENT "{01 05 1: " METHOD " 00 0b 7472|}", CLIENT_EVENTS " S F(1 1 7) L"),
	HTTP2("ends within a value", CLIENT "{01 05 1: " METHOD " 00 " NAME " 37 30|}", CLIENT_EVENTS " S F(1 1 18) L"),
	HTTP2("an integer too large", CLIENT "{01 05 1: " METHOD " ff ffffffff7f| 82}", CLIENT_EVENTS " S F(1 1 10) L"),
	HTTP2("an integer too long", CLIENT "{01 05 1: " METHOD " ff 808080808000| 8282}",
	      CLIENT_EVENTS " S F(1 1 12) L"),
	HTTP2("a string too long", CLIENT "{01 05 1: " METHOD " 00 " NAME " 7f 81ff04| 8282}",
	      CLIENT_EVENTS " S F(1 1 22) L"),
	HTTP2("no padding",
	      CLIENT "{01 05 1: " METHOD " 00 " NAME_HUFFMAN
		     " ~00-aaaaaaaaaaaaaaaaaaaaaaaaabbbbbbb-b7ad6b7169203331-01~}|",
	      CLIENT_EVENTS " S F(1 1 51) H(1 aaaaaaaaaaaaaaaaaaaaaaaaabbbbbbb-b7ad6b7169203331-01)E(1)"),
	HTTP2("the most padding",
	      CLIENT "{01 05 1: " METHOD " 00 " NAME_HUFFMAN
		     " ~00-aaaaaaaaaaaaaaaaaaaaaaaabbbbbbbb-b7ad6b7169203331-01~}|",
	      CLIENT_EVENTS " S F(1 1 52) H(1 aaaaaaaaaaaaaaaaaaaaaaaabbbbbbbb-b7ad6b7169203331-01)E(1)"),
	HTTP2("padding of zeros",
	      CLIENT "{01 05 1: " METHOD " 00 " NAME
		     " a7 001600e575c6c2f85c248d33248f34d3c58c41091e03217c8b46e8e4723742e3e2032cb215801e}|",
	      CLIENT_EVENTS " S F(1 1 56) H(1 -)E(1)"),
	HTTP2("padding of a byte",
	      CLIENT "{01 05 1: " METHOD " 00 " NAME
		     " a8 001600e575c6c2f85c248d33248f34d3c58c41091e03217c8b46e8e4723742e3e2032cb215801fff}|",
	      CLIENT_EVENTS " S F(1 1 57) H(1 -)E(1)"),
	HTTP2("version 01 with more",
	      CLIENT "{01 05 1: " METHOD " 00 " NAME " ~01-" TRACE "-..~}| {01 05 3: " METHOD " 00 " NAME " ~01-" TRACE
		     "..~}|",
	      CLIENT_EVENTS " S F(1 1 58) H(1 " TRACE ")E(1) S F(1 3 57) H(3 -)E(3)"),
	HTTP2("continued after 0 bytes",
	      CLIENT "{01 01 1} {09 00 1} {09 04 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     "}| {01 05 3: " METHOD " be}|",
	      CLIENT_EVENTS " S F(1 1 0) S F(9 1 0) S F(9 1 53) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE ")E(3)"),
	HTTP2("continued after 1 bytes",
	      CLIENT "{01 01 1: 82} {09 00 1} {09 04 1: 8684 40 " NAME_HUFFMAN " " VALUE_HUFFMAN "}| {01 05 3: " METHOD
		     " be}|",
	      CLIENT_EVENTS " S F(1 1 1) S F(9 1 0) S F(9 1 52) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE ")E(3)"),
	HTTP2("continued after 7 bytes",
	      CLIENT "{01 01 1: " METHOD " 40 88 4d83} {09 00 1} {09 04 1: 216b1d85a93f " VALUE_HUFFMAN
		     "}| {01 05 3: " METHOD " be}|",
	      CLIENT_EVENTS " S F(1 1 7) S F(9 1 0) S F(9 1 46) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE ")E(3)"),
	HTTP2("continued after 13 bytes",
	      CLIENT "{01 01 1: " METHOD " 40 " NAME_HUFFMAN "} {09 00 1} {09 04 1: " VALUE_HUFFMAN
		     "}| {01 05 3: " METHOD " be}|",
	      CLIENT_EVENTS " S F(1 1 13) S F(9 1 0) S F(9 1 40) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE ")E(3)"),
	HTTP2("continued after 23 bytes",
	      CLIENT
	      "{01 01 1: " METHOD " 40 " NAME_HUFFMAN
	      " a7 001600e575c6c2f85c} {09 00 1} {09 04 1: 248d33248f34d3c58c41091e03217c8b46e8e4723742e3e2032cb215801f}| {01 05 3: " METHOD
	      " be}|",
	      CLIENT_EVENTS " S F(1 1 23) S F(9 1 0) S F(9 1 30) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE ")E(3)"),
	HTTP2("continued after 52 bytes",
	      CLIENT
	      "{01 01 1: " METHOD " 40 " NAME_HUFFMAN
	      " a7 001600e575c6c2f85c248d33248f34d3c58c41091e03217c8b46e8e4723742e3e2032cb21580} {09 00 1} {09 04 1: 1f}| {01 05 3: " METHOD
	      " be}|",
	      CLIENT_EVENTS " S F(1 1 52) S F(9 1 0) S F(9 1 1) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE ")E(3)"),
	HTTP2("continued after 55 bytes",
	      CLIENT "{01 01 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     " 00 7f} {09 00 1} {09 04 1: 8101 *256:61 01 62}| {01 05 3: " METHOD " be}|",
	      CLIENT_EVENTS " S F(1 1 55) S F(9 1 0) S F(9 1 260) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE ")E(3)"),
	HTTP2("continued after 316 bytes",
	      CLIENT "{01 01 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     " 00 7f8101 *256:61 05 6262} {09 00 1} {09 04 1: 626262}| {01 05 3: " METHOD " be}|",
	      CLIENT_EVENTS " S F(1 1 316) S F(9 1 0) S F(9 1 3) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE ")E(3)"),
	HTTP2("padded, with priority",
	      CLIENT "{01 2d 1: 05 80000003ff " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN " *5:00}|",
	      CLIENT_EVENTS " S F(1 1 64) H(1 " TRACE ")E(1)"),
	HTTP2("padded, then not",
	      CLIENT "{01 0d 1: 05 " METHOD " *5:00}| {01 05 3: " METHOD "}| {01 0d 5: 00 " METHOD "}|",
	      CLIENT_EVENTS " S F(1 1 9) H(1 -)E(1) S F(1 3 3) H(3 -)E(3) S F(1 5 4) H(5 -)E(5)"),
	HTTP2("padding only", CLIENT "{01 0c 1: 02 0000}|", CLIENT_EVENTS " S F(1 1 3) H(1 -)"),
	HTTP2("more padding than there is", CLIENT "{01 0d 1: ff| " METHOD "}", CLIENT_EVENTS " S F(1 1 4) L"),
	HTTP2("too short for its priority", CLIENT "00|0004012500000001|", CLIENT_EVENTS " S L"),
	HTTP2("data",
	      CLIENT "{01 04 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN
		     "}| {00 00 1: 010203} {00 01 1: 00000000}| {00 01 1}|",
	      CLIENT_EVENTS " S F(1 1 53) H(1 " TRACE ") S F(0 1 3) S F(0 1 4) E(1) S F(0 1 0)E(1)"),
	HTTP2("trailers are no request, and count",
	      CLIENT "{01 05 1: " METHOD " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN "}| {01 04 3: " METHOD
		     " be}| {01 05 3: 40 'g' '0'}| {01 05 5: " METHOD " bf}|",
	      CLIENT_EVENTS " S F(1 1 53) H(1 " TRACE ")E(1) S F(1 3 4) H(3 " TRACE
			    ") S F(1 3 5) E(3) S F(1 5 4) H(5 " TRACE ")E(5)"),
	HTTP2("other frames",
	      CLIENT
	      "{06 00 0: 0102030405060708} {08 00 0: 0000ffff} {02 00 1: 00000000ff} {fe 07 9: aabbcc} {04 00 0: 000400000001} {04 01 0} {03 00 1: 00000008} {07 00 0: 0000000000000000aa} {01 05 1: " METHOD
	      " 40 " NAME_HUFFMAN " " VALUE_HUFFMAN "}|",
	      CLIENT_EVENTS
	      " S F(6 0 8) S F(8 0 4) S F(2 1 5) S F(254 9 3) S F(4 0 6) S F(4 0 0) S F(3 1 4) S F(7 0 9) S F(1 1 53) H(1 " TRACE
	      ")E(1)"),
	HTTP2("PING of 7 bytes", CLIENT "00|0007060000000000|", CLIENT_EVENTS " S L"),
	HTTP2("SETTINGS of 5 bytes", CLIENT "00|0005040000000000|", CLIENT_EVENTS " S L"),
	HTTP2("SETTINGS on a stream", CLIENT "00|0000040000000001|", CLIENT_EVENTS " S L"),
	HTTP2("DATA on no stream", CLIENT "00|0001000000000000|", CLIENT_EVENTS " S L"),
	HTTP2("an even stream", CLIENT "00|0001010400000002|", CLIENT_EVENTS " S L"),
	HTTP2("a continuation of nothing", CLIENT "00|0001090400000001|", CLIENT_EVENTS " S L"),
	HTTP2("PUSH_PROMISE of a client", CLIENT "00|0004050400000001|", CLIENT_EVENTS " S L"),
	HTTP2("a block too long", CLIENT "01|0001010400000001|", CLIENT_EVENTS " S L"),
	HTTP2("a frame within a header block", CLIENT "{01 01 1: " METHOD "} 00|0000040000000000|",
	      CLIENT_EVENTS " S F(1 1 3) S L"),
	HTTP2("a continuation of another stream", CLIENT "{01 01 1: " METHOD "} 00|0000090400000003|",
	      CLIENT_EVENTS " S F(1 1 3) S L"),
	HTTP2("not SETTINGS first", "P 00|0000040100000000|", "S S L"),
	HTTP2("a server", "{04 00 0: 00030000ffff} {04 01 0} {01 04 1: 88ffff}| {01 05 1: 00000000}| {00 01 1: 0000}|",
	      "S F(4 0 6) S F(4 0 0) S F(1 1 3) H(1 -) S F(1 1 4) H(1 -)E(1) S F(0 1 2) E(1)"),
	HTTP2("a server that does not begin with SETTINGS", "00|0008060000000000|", "S L"),
	HTTP2("a preface that ends otherwise", "50|5249202a20485454502f322e300d0a0d0a534d0d0a0d0b|", "S L"),
};

const size_t http_case_count = sizeof(http_cases) / sizeof(*http_cases);
