"""The floor of the bench nessus-import: lxml reads the fields that scanmux reads, into plain dicts, and drops them.

Prints one line of JSON: milliseconds without the start of Python, items, and peak memory in MB.
"""

import json
import resource
import sys
import time

from lxml import etree


def main():
    started = time.perf_counter()
    items = 0
    tags = {}
    for _, element in etree.iterparse(sys.argv[1], events=("end",), tag=("ReportItem", "HostProperties", "ReportHost"), huge_tree=True):
        if element.tag == "ReportItem":
            record = dict(element.attrib)
            children = {}
            for child in element:
                children.setdefault(child.tag, []).append(child.text)
            record["children"] = children
            items += 1
        elif element.tag == "HostProperties":
            tags = {tag.get("name"): tag.text for tag in element}
        element.clear()
        # What stands before it has been read too, and would stay in memory.
        while element.getprevious() is not None:
            del element.getparent()[0]
    ms = (time.perf_counter() - started) * 1000
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"ms": ms, "cpuMs": time.process_time() * 1000, "findings": items, "peakMb": peak}))


main()
